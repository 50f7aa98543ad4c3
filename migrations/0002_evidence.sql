-- What each decision rests on, for people: matches with their numbers, holds set aside, remarks.
alter table decision add column evidence text not null default '{}';
