DROP TABLE failure_kinds, made_paths, unit_notes, attempts, ranges, managers, metadata, settings, specs, units, jobs;
