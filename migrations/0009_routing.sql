-- The company that a document belongs to from its first posting on; empty before. It is written to
-- no other company, whatever its connection becomes.
alter table document add column company text not null default '';
update document set company = coalesce(
    (select min(posting.company) from posting where posting.document = document.id), '');

-- The routes that the revision in force was routed by; empty: not routed yet.
alter table document add column routed text not null default '';
create index document_by_routing on document (source, routed);

-- The unit that a source or company belongs to, so that a unit keeps its name, and with it its audit
-- chain, whatever connections come and go.
create table unit_member (
    kind text not null,
    id text not null,
    unit text not null,
    primary key (kind, id)
);
insert into unit_member (kind, id, unit)
select 'source', source, min(unit) from connection
where seen_at = (select max(seen_at) from connection latest where latest.source = connection.source)
group by source;
insert into unit_member (kind, id, unit)
select 'company', company, min(unit) from connection
where seen_at = (select max(seen_at) from connection latest where latest.company = connection.company)
group by company;
