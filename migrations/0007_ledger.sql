-- Released documents of ours, and whether the general ledger holds them as planned.
create table ledger_check (
    document text not null primary key,
    company text not null,
    visma_type text not null,
    visma_number text not null,
    state text not null,
    -- Since when its batch is looked for.
    since bigint not null,
    -- When all batches of its period were read last for its sake.
    looked_at bigint not null,
    -- Numbers of its batches, and what of them differs.
    batches text not null,
    differences text not null,
    changed_at bigint not null
);
create index ledger_check_by_state on ledger_check (company, state);

-- Journal batches of our documents, with each document's own lines.
create table ledger_batch (
    document text not null,
    number text not null,
    version text,
    status text not null,
    body text not null,
    primary key (document, number)
);

create index document_with_attention on document (connection) where attention is not null;
