DROP TABLE made_paths;
