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

-- When something that decisions look at last moved: Visma's own documents of a company, receipts and
-- contracts of a source.
create table moved (
    owner text not null primary key,
    moved_at bigint not null
);

-- The inputs with which the held documents of a connection were last judged by themselves.
create table held_inputs (
    connection text not null primary key,
    inputs text not null
);
