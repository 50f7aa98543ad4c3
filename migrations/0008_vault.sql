-- Credentials, sealed: each value under a data key of its own, which a master key wraps that is not in here.
create table secret (
    name text not null,
    -- Grows by one with each value of the name, and is never used again.
    version bigint not null,
    -- The master key that wraps the data key.
    key_name text not null,
    -- Both empty once the value is retired.
    wrapped_key text not null,
    sealed text not null,
    set_at bigint not null,
    set_by text not null,
    retired_at bigint,
    retired_by text,
    primary key (name, version)
);
