-- What people said about which vendor is which supplier. Rows are added and never taken away: the
-- version with the highest n is in force; one without a supplier undoes what was before it.
-- Without an n it is asked for, and the owner of the unit takes it over with its entry in the trail.
create table vendor_link (
    id text not null primary key,
    connection text not null,
    vendor text not null,
    n bigint,
    supplier text,
    actor text not null,
    reason text not null,
    asked_at bigint not null,
    done_at bigint,
    unique (connection, vendor, n)
);
