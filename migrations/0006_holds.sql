-- What a decision was when it was no plan: holds, waits or the reason, as JSON. Empty: a plan, or
-- a decision from before this column.
alter table decision add column reasons text not null default '';

-- A person's word that one hold of one document shall not stop it: the code and the exact sentence
-- that the person saw. Where two people must say it, each has a row.
create table hold_override (
    document text not null,
    code text not null,
    text_hash text not null,
    text text not null,
    actor text not null,
    role text not null,
    reason text not null,
    said_at bigint not null,
    primary key (document, code, text_hash, actor)
);

-- What a request says beside its verb, as JSON.
alter table request add column detail text not null default '{}';

-- The inputs with which a held document was last judged by itself, and found to be held all the same.
create table held_inputs (
    document text not null primary key,
    inputs text not null
);
