DROP TABLE spends;
DROP TABLE meters;
