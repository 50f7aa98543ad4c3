-- Every version of a mapping table that a person imported. The newest one counts; without a body
-- the configuration's table counts again. It comes into force with the next round of the unit,
-- together with its entry in the audit trail.
create table mapping_version (
    connection text not null,
    name text not null,
    n bigint not null,
    body text,
    actor text not null,
    reason text not null,
    asked_at bigint not null,
    in_force_at bigint,
    primary key (connection, name, n)
);
