-- One text for SQLite and PostgreSQL: text and bigint only. Instants are microseconds UTC,
-- amounts are minor units beside their currency, never sorted by text collation.

create table source (
    id text not null primary key,
    profile text not null,
    profile_hash text not null,
    seen_at bigint not null
);

create table company (
    id text not null primary key,
    base_url text not null,
    tenant text not null,
    seen_at bigint not null
);

create table connection (
    id text not null primary key,
    source text not null,
    company text not null,
    unit text not null,
    rules_hash text not null,
    seen_at bigint not null
);

-- Who may write for a unit, and the head of the unit's audit chain. Every transaction of an
-- owner updates this row under its epoch first: zero rows means that it owns nothing any more.
create table ownership (
    unit text not null primary key,
    owner text not null,
    epoch bigint not null,
    expires_at bigint not null,
    head_seq bigint not null,
    head_hash text not null
);

-- Everything a decision was made from that is not the document itself: rules, reference data,
-- profiles, by the hash of their content.
create table input_version (
    hash text not null primary key,
    kind text not null,
    body text not null,
    seen_at bigint not null
);

create table document (
    id text not null primary key,
    connection text not null,
    source text not null,
    kind text not null,
    source_id text not null,
    feed text not null,
    number text not null,
    order_number text,
    reference text,
    supplier text,
    currency text,
    amount_minor bigint,
    document_on text,
    state text not null,
    waiting text,
    attention text,
    latest_revision bigint not null,
    recorded_revision bigint not null,
    applied_revision bigint,
    applied_plan text,
    row_hash text not null,
    visma_type text,
    visma_number text,
    received_at bigint not null,
    changed_at bigint not null,
    unique (source, kind, source_id)
);
create index document_by_state on document (connection, state);
create index document_by_order on document (source, order_number);

create table revision (
    document text not null,
    n bigint not null,
    raw_hash text not null,
    material_hash text not null,
    source_revision bigint,
    profile_hash text not null,
    raw text not null,
    received_at bigint not null,
    primary key (document, n)
);

create table hold (
    document text not null,
    n bigint not null,
    code text not null,
    text text not null,
    fix text not null,
    since bigint not null,
    primary key (document, n)
);
create index hold_by_code on hold (code);

create table decision (
    document text not null,
    n bigint not null,
    revision bigint not null,
    outcome text not null,
    plan text,
    plan_hash text,
    rules_hash text not null,
    reference_hash text not null,
    profile_hash text not null,
    history text not null,
    decided_at bigint not null,
    primary key (document, n)
);

create table posting (
    id text not null primary key,
    company text not null,
    document text not null,
    step text not null,
    step_key text not null,
    our_key text not null unique,
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
    changed_at bigint not null,
    unique (company, document, step, step_key)
);
create index posting_by_state on posting (company, state);
create index posting_by_document on posting (document);

create table claim (
    company text not null,
    supplier text not null,
    kind text not null,
    reference text not null,
    year bigint not null,
    document text not null,
    primary key (company, supplier, kind, reference, year)
);
create index claim_by_document on claim (document);

-- How far a list has been read, by JAGGAER feed or Visma list. Moves once, with the last page
-- of a complete read, to a value really seen.
create table watermark (
    owner text not null,
    feed text not null,
    instant bigint not null,
    seen text not null,
    moved_at bigint not null,
    primary key (owner, feed)
);

create table vendor (
    source text not null,
    source_id text not null,
    hash text not null,
    body text not null,
    changed_at bigint not null,
    primary key (source, source_id)
);

create table supplier (
    company text not null,
    number text not null,
    body text not null,
    changed_at bigint not null,
    primary key (company, number)
);

-- Every version that a supplier or vendor ever had here, so that a decision of the past can be
-- made again from what was known then.
create table party_version (
    owner text not null,
    kind text not null,
    number text not null,
    seen_at bigint not null,
    body text not null,
    primary key (owner, kind, number, seen_at)
);

create table reference_data (
    company text not null primary key,
    hash text not null,
    read_at bigint not null
);

-- Visma's own documents, as its lists last showed them.
create table erp_invoice (
    company text not null,
    document_type text not null,
    number text not null,
    supplier text not null,
    reference_key text not null,
    our_key text,
    status text not null,
    version text,
    modified text,
    body text not null,
    primary key (company, document_type, number)
);
create index erp_invoice_by_reference on erp_invoice (company, reference_key);
create index erp_invoice_by_our_key on erp_invoice (company, our_key);

create table erp_order (
    company text not null,
    number text not null,
    supplier text not null,
    reference text not null,
    our_key text,
    status text not null,
    version text,
    modified text,
    body text not null,
    primary key (company, number)
);
create index erp_order_by_reference on erp_order (company, reference);
create index erp_order_by_our_key on erp_order (company, our_key);

create table erp_receipt (
    company text not null,
    receipt_type text not null,
    number text not null,
    version text,
    body text not null,
    primary key (company, receipt_type, number)
);

create table erp_receipt_order (
    company text not null,
    order_number text not null,
    receipt_type text not null,
    number text not null,
    primary key (company, order_number, receipt_type, number)
);

-- What a person asked for while another process owns the unit.
create table request (
    id text not null primary key,
    unit text not null,
    verb text not null,
    document text not null,
    actor text not null,
    reason text not null,
    state text not null,
    result text,
    asked_at bigint not null,
    done_at bigint
);

create table round (
    id text not null primary key,
    unit text not null,
    started_at bigint not null,
    ended_at bigint,
    summary text not null
);

create table audit (
    unit text not null,
    seq bigint not null,
    at bigint not null,
    actor text not null,
    action text not null,
    connection text not null,
    document text not null,
    from_state text not null,
    to_state text not null,
    detail text not null,
    previous_hash text not null,
    hash text not null,
    primary key (unit, seq)
);
create index audit_by_document on audit (document);
