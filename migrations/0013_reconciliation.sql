-- What each reconciliation came to, of one unit and one period: a month (`2026-03`) or `all`. Kept for
-- good; it changes nothing, so one that a person asked for stands here beside those of the owner.
create table reconciliation (
    id text not null primary key,
    unit text not null,
    period text not null,
    reconciled_at bigint not null,
    actor text not null,
    -- How many differences it named; 0: the three books say the same.
    differences bigint not null,
    -- The whole of it, as JSON.
    body text not null
);
create index reconciliation_by_unit on reconciliation (unit, period, reconciled_at);
