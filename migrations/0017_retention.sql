-- When the bodies of a document were deleted because their time was over, and under the retention of which
-- company. From then on the document moves no more: its rows, hashes, amounts and trail stay.
alter table document add column pruned_at bigint;
alter table document add column pruned_for text not null default '';
create index request_by_document on request (document);
