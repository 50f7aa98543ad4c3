-- The processes that own units. One row is kept alive for all units of a process, so that a thousand idle
-- units cost no more than one. A row that ran out is deleted by whoever sees it first; from then on that
-- process owns nothing, whatever it believes, and its units can be taken.
create table worker (
    id text not null primary key,
    -- 1: it takes its share of all units for as long as it lives. 0: it runs one command.
    serves bigint not null,
    expires_at bigint not null
);
