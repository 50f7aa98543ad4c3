-- What was told to whom about what is wrong (condition), and the messages on their way.
create table alert (
    unit text not null,
    target text not null,
    condition_key text not null,
    kind text not null,
    open bigint not null,
    told_at bigint not null,
    told_until bigint not null,
    primary key (unit, target, condition_key)
);

create table alert_message (
    id text not null primary key,
    unit text not null,
    target text not null,
    parcel text not null,
    state text not null,
    attempts bigint not null,
    next_at bigint not null,
    error text,
    made_at bigint not null,
    changed_at bigint not null
);
create index alert_message_by_state on alert_message (unit, state);
