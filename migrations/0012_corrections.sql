-- What a document of ours bills, with the hash of the plan that it was decided by: while a change of
-- it is not through, Visma holds one plan and the other is on its way, and both are kept.
alter table own_billing add column content text not null default '';

-- How often what a document had become in Visma was taken back by a credit note of ours. It is part of
-- the keys of its postings, so that what is made anew has keys of its own.
alter table document add column corrections bigint not null default 0;
-- 1: a person asked for it, and the next decision may do it. The word counts for one decision.
alter table document add column correction_asked bigint not null default 0;

-- What is held against the ledger is the document as it stands; or what was taken back and the credit note
-- that did it. Then `document` is the key that it carries in Visma, `owner` the document, and `plan` what
-- it was made by.
alter table ledger_check add column owner text not null default '';
alter table ledger_check add column plan text not null default '';
create index ledger_check_by_owner on ledger_check (owner);

-- Postings of what was taken back, as they stood then; `correction` counts from 1.
create table posting_past (
    id text not null primary key,
    correction bigint not null,
    company text not null,
    document text not null,
    step text not null,
    step_key text not null,
    our_key text not null,
    revision bigint not null,
    plan text not null,
    plan_hash text not null,
    body text,
    state text not null,
    attempts bigint not null,
    absent bigint not null,
    epoch bigint not null,
    intent_at bigint,
    settle_after bigint,
    next_at bigint not null,
    visma_type text,
    visma_number text,
    etag text,
    job text,
    error text,
    changed_at bigint not null
);
create index posting_past_by_document on posting_past (document);

-- Invoices of ours that were taken back, and the credit notes that did it: together they are nothing,
-- and no decision looks at either.
create table taken_back (
    company text not null,
    document_type text not null,
    number text not null,
    document text not null,
    correction bigint not null,
    primary key (company, document_type, number)
);
