DROP TABLE failure_kinds;
