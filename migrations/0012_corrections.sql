-- What a document of ours bills, with the hash of the plan that it was decided by: while a change of
-- it is not through, Visma holds one plan and the other is on its way, and both are kept.
alter table own_billing add column content text not null default '';
