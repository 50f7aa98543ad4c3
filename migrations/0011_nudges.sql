-- What Visma's webhooks told. A row is also the memory that the same delivery is known again by.
create table nudge (
    connection text not null,
    -- The delivery's own id, or the hash of what it carried.
    delivery text not null,
    -- A delivery may tell of several things.
    n bigint not null,
    poll text not null,
    -- What changed, as it is called there; empty: not told.
    reference text not null,
    -- `waiting`; `taken` by the poll that runs; `done`.
    state text not null,
    received_at bigint not null,
    -- 1: it told of a change that no poll knows by that name, and has explained one.
    spent bigint not null,
    primary key (connection, delivery, n)
);
create index nudge_by_state on nudge (state, connection, poll);
create index nudge_by_time on nudge (connection, poll, received_at);

-- What became of the deliveries, since the beginning. An empty connection: an address that is nobody's.
create table nudge_count (
    connection text not null,
    poll text not null,
    outcome text not null,
    count bigint not null,
    last_at bigint not null,
    primary key (connection, poll, outcome)
);

-- Changes that a poll found, until it is clear whether a nudge told of them.
create table found_change (
    company text not null,
    poll text not null,
    reference text not null,
    -- The list was read to its end before.
    since bigint not null,
    seen_at bigint not null,
    primary key (company, poll, reference, seen_at)
);

-- How they were found, since the beginning.
create table found_count (
    company text not null,
    poll text not null,
    told bigint not null,
    poll_only bigint not null,
    -- By polls alone in a row, up to now, and since when.
    in_a_row bigint not null,
    in_a_row_since bigint not null,
    primary key (company, poll)
);
