-- What JAGGAER is to know of a document, one row for each thing that it is told about.
create table confirmation (
    document text not null,
    -- erp or payment.
    about text not null,
    connection text not null,
    -- What it was made from: it is looked at again when that moved.
    basis text not null,
    -- What is to be told, as JSON; empty: nothing yet.
    report text not null,
    -- nothing: looked at, and there is nothing to tell; wanted; told; refused; silent: the profile has no word for it.
    state text not null,
    occurred_at bigint not null,
    attempts bigint not null,
    next_at bigint not null,
    error text,
    changed_at bigint not null,
    primary key (document, about)
);
create index confirmation_by_state on confirmation (connection, state, next_at);
