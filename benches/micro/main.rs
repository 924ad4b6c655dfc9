//! Single operations of the library, in time: `cargo bench --bench micro`.

mod operations;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const UNITS: u32 = 10_000;

fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("units");
    group.throughput(Throughput::Elements(UNITS.into())).sample_size(10);
    group.bench_function("insert", |bench| {
        bench.iter_batched_ref(scratch, |dir| operations::insert(dir.path(), UNITS), BatchSize::PerIteration);
    });
    group.bench_function("record", |bench| {
        let prepare = || {
            let dir = scratch();
            let (client, job) = operations::insert(dir.path(), UNITS);
            (dir, client, job)
        };
        bench.iter_batched_ref(prepare, |(_, client, job)| operations::run(client, *job), BatchSize::PerIteration);
    });
    group.finish();

    let dir = scratch();
    let (client, job) = operations::insert(dir.path(), UNITS);
    criterion.bench_function("status", |bench| bench.iter(|| operations::status(&client, job)));
}

/// A directory on the disk that the build uses: a sync costs nothing where files are kept in memory.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the build can be written")
}

criterion_group!(benches, measure);
criterion_main!(benches);
