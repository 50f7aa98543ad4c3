-- What decisions look up about other documents: what bills an order line, what looks like the
-- invoice in hand, where a vendor asked to be paid before, and JAGGAER's receipts and contracts.
-- Days are counted from 1970-01-01, so that "the nearest" is a walk along an index.

-- The index of Visma's invoices, by what makes two of them alike. Rows from before this version
-- have none of it: the versions are forgotten and the list is read once more from the beginning,
-- before anything is posted.
alter table erp_invoice add column currency text;
alter table erp_invoice add column gross_minor bigint;
alter table erp_invoice add column document_day bigint;
alter table erp_invoice add column reference_look text;
alter table erp_invoice add column reference_digits text;
create index erp_invoice_by_number on erp_invoice (company, supplier, reference_key, document_day);
create index erp_invoice_by_look on erp_invoice (company, supplier, reference_look, document_day);
create index erp_invoice_by_digits on erp_invoice (company, supplier, reference_digits, document_day);
create index erp_invoice_by_amount on erp_invoice (company, supplier, currency, gross_minor, document_day);
update erp_invoice set version = null;
delete from watermark where feed = 'visma:supplierInvoice';

-- Lines of Visma's invoices that bill an order line, directly or through a receipt.
create table erp_billing (
    company text not null,
    document_type text not null,
    number text not null,
    line bigint not null,
    order_number text not null,
    order_line bigint not null,
    receipt_number text not null,
    receipt_line bigint not null,
    kind text not null,
    quantity text,
    unit text,
    net_minor bigint not null,
    currency text not null,
    primary key (company, document_type, number, line)
);
create index erp_billing_by_order on erp_billing (company, order_number);
create index erp_billing_by_receipt on erp_billing (company, receipt_number);

-- What the latest decision of a document of ours bills of which order line.
create table own_billing (
    document text not null,
    n bigint not null,
    company text not null,
    our_key text not null,
    order_number text not null,
    order_line bigint not null,
    kind text not null,
    quantity text,
    net_minor bigint not null,
    currency text not null,
    primary key (document, n)
);
create index own_billing_by_order on own_billing (company, order_number);

-- Invoices of ours on their way to Visma, until its index shows them.
create table own_invoice (
    document text not null primary key,
    company text not null,
    our_key text not null,
    supplier text not null,
    kind text not null,
    currency text not null,
    gross_minor bigint not null,
    document_day bigint not null,
    reference_key text not null,
    reference_look text not null,
    reference_digits text not null,
    body text not null
);
create index own_invoice_by_key on own_invoice (company, our_key);
create index own_invoice_by_number on own_invoice (company, supplier, reference_key, document_day);
create index own_invoice_by_look on own_invoice (company, supplier, reference_look, document_day);
create index own_invoice_by_digits on own_invoice (company, supplier, reference_digits, document_day);
create index own_invoice_by_amount on own_invoice (company, supplier, currency, gross_minor, document_day);

-- Credit notes of ours, by the supplier's number of the invoice that they take back: Visma does
-- not keep that.
create table own_credit (
    document text not null primary key,
    company text not null,
    our_key text not null,
    supplier text not null,
    credits_key text not null,
    body text not null
);
create index own_credit_by_number on own_credit (company, supplier, credits_key);

-- The account that an invoice asked to be paid on, by the source's vendor.
create table payee (
    document text not null primary key,
    source text not null,
    vendor text not null,
    invoiced_day bigint not null,
    account text not null
);
create index payee_by_vendor on payee (source, vendor, invoiced_day);

create table source_receipt (
    source text not null,
    source_id text not null,
    hash text not null,
    body text not null,
    changed_at bigint not null,
    primary key (source, source_id)
);

create table source_receipt_order (
    source text not null,
    order_number text not null,
    source_id text not null,
    primary key (source, order_number, source_id)
);
create index source_receipt_order_by_receipt on source_receipt_order (source, source_id);

create table contract (
    source text not null,
    source_id text not null,
    number text not null,
    hash text not null,
    body text not null,
    changed_at bigint not null,
    primary key (source, source_id)
);
create index contract_by_number on contract (source, number);
