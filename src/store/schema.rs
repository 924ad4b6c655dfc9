// @generated automatically by Diesel CLI.

diesel::table! {
    attempts (id) {
        id -> BigInt,
        unit_id -> BigInt,
        attempt -> BigInt,
        epoch -> BigInt,
        started_at -> Nullable<BigInt>,
        ended_at -> BigInt,
        cause -> Text,
        exit_code -> Nullable<BigInt>,
        signal -> Nullable<BigInt>,
        error -> Text,
        stdout -> Nullable<Text>,
        stderr -> Nullable<Text>,
        cpu_us -> Nullable<BigInt>,
        peak_bytes -> Nullable<BigInt>,
        peak_is_bound -> Nullable<BigInt>,
        slot -> Nullable<BigInt>,
    }
}

diesel::table! {
    failure_kinds (unit_id) {
        unit_id -> BigInt,
        kind -> BigInt,
    }
}

diesel::table! {
    flags (unit_id) {
        unit_id -> BigInt,
        attempt -> BigInt,
        revision -> BigInt,
        started_at -> Nullable<BigInt>,
        text -> Text,
        decision -> Nullable<Text>,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<BigInt>,
        note -> Nullable<Text>,
    }
}

diesel::table! {
    jobs (id) {
        id -> BigInt,
        uid -> Text,
        name -> Text,
        key -> Nullable<Text>,
        handler -> Text,
        limits -> Text,
        status -> Text,
        stop_request -> Nullable<Text>,
        stop_grace_ms -> Nullable<BigInt>,
        stop_reason -> Nullable<Text>,
        hold_until -> Nullable<BigInt>,
        hold_reason -> Nullable<Text>,
        epoch -> BigInt,
        revision -> BigInt,
        claimed_through -> BigInt,
        total -> BigInt,
        pending -> BigInt,
        running -> BigInt,
        completed -> BigInt,
        failed -> BigInt,
        skipped -> BigInt,
        cancelled -> BigInt,
        created_at -> BigInt,
        started_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    made_paths (unit_id) {
        unit_id -> BigInt,
        path_hash -> BigInt,
    }
}

diesel::table! {
    managers (job_id, number) {
        job_id -> BigInt,
        number -> BigInt,
        uid -> Text,
        state -> Text,
        reason -> Nullable<Text>,
        host -> Text,
        boot_id -> Text,
        pid -> BigInt,
        start_ticks -> BigInt,
        namespaces -> Nullable<Text>,
        database -> Nullable<Text>,
        version -> Text,
        program -> Nullable<Text>,
        workers -> Nullable<BigInt>,
        running -> Nullable<BigInt>,
        rate -> Nullable<Double>,
        heartbeat_at -> BigInt,
        started_at -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    metadata (job_id, key) {
        job_id -> BigInt,
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    meters (job_id, name) {
        job_id -> BigInt,
        name -> Text,
        spent -> BigInt,
        unmetered -> BigInt,
        day_start -> BigInt,
        before_day -> BigInt,
        costs -> Text,
    }
}

diesel::table! {
    settings (key) {
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    specs (job_id) {
        job_id -> BigInt,
        spec -> Text,
    }
}

diesel::table! {
    spends (unit_id, name) {
        unit_id -> BigInt,
        name -> Text,
        amount -> BigInt,
        under_way -> Nullable<BigInt>,
    }
}

diesel::table! {
    totals (name, shard) {
        name -> Text,
        shard -> BigInt,
        value -> BigInt,
    }
}

diesel::table! {
    unit_groups (job_id, name) {
        job_id -> BigInt,
        name -> Text,
        most -> Nullable<BigInt>,
        read_through -> BigInt,
        failures -> BigInt,
        stopped -> Nullable<Text>,
        hold_until -> Nullable<BigInt>,
        hold_reason -> Nullable<Text>,
    }
}

diesel::table! {
    unit_notes (unit_id) {
        unit_id -> BigInt,
        done -> Nullable<BigInt>,
        total -> Nullable<BigInt>,
        message -> Nullable<Text>,
        checkpoint -> Nullable<Text>,
    }
}

diesel::table! {
    units (id) {
        id -> BigInt,
        job_id -> BigInt,
        seq -> BigInt,
        key -> Nullable<Text>,
        payload -> Text,
        status -> Text,
        attempts -> BigInt,
        crashes -> BigInt,
        not_before -> Nullable<BigInt>,
        started_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
        exit_code -> Nullable<BigInt>,
        signal -> Nullable<BigInt>,
        error -> Nullable<Text>,
        result -> Nullable<Text>,
        stdout -> Nullable<Text>,
        stderr -> Nullable<Text>,
        outdated -> Nullable<Text>,
        revision -> BigInt,
        kind -> Nullable<Text>,
        grp -> Nullable<Text>,
        slot -> Nullable<BigInt>,
    }
}

diesel::joinable!(attempts -> units (unit_id));
diesel::joinable!(failure_kinds -> units (unit_id));
diesel::joinable!(flags -> units (unit_id));
diesel::joinable!(made_paths -> units (unit_id));
diesel::joinable!(managers -> jobs (job_id));
diesel::joinable!(metadata -> jobs (job_id));
diesel::joinable!(meters -> jobs (job_id));
diesel::joinable!(specs -> jobs (job_id));
diesel::joinable!(spends -> units (unit_id));
diesel::joinable!(unit_groups -> jobs (job_id));
diesel::joinable!(unit_notes -> units (unit_id));

diesel::allow_tables_to_appear_in_same_query!(
    attempts,
    failure_kinds,
    flags,
    jobs,
    made_paths,
    managers,
    metadata,
    meters,
    settings,
    specs,
    spends,
    totals,
    unit_groups,
    unit_notes,
    units,
);
