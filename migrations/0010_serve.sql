-- The processes that own units. One row is kept alive for all units of a process, so that a thousand idle
-- units cost no more than one. A row that ran out is deleted by whoever sees it first; from then on that
-- process owns nothing, whatever it believes, and its units can be taken.
create table worker (
    id text not null primary key,
    -- 1: it takes its share of all units for as long as it lives. 0: it runs one command.
    serves bigint not null,
    expires_at bigint not null
);

-- Connections that a person has stopped, until a person lets them go on.
create table pause (
    connection text not null primary key,
    actor text not null,
    reason text not null,
    since bigint not null
);

-- When each flow of a unit last ran, and where every planned time went.
create table flow_run (
    unit text not null,
    flow text not null,
    started_at bigint not null,
    ended_at bigint,
    failures bigint not null,
    planned bigint not null,
    run bigint not null,
    folded bigint not null,
    extra bigint not null,
    primary key (unit, flow)
);

create index round_by_unit on round (unit, started_at);
create index request_by_state on request (state, unit);
