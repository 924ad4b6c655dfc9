//! Results as tables, read back by the readers that people have, and the page about a job.

use std::fs;

use serde_json::{Value, json};

use crate::bytes::python_with;
use crate::support::{World, text, without, without_tool};

/// Prints the rows that Python's own reader finds, one as JSON on a line.
const PYTHON: &str = "import csv, json, sys\nfor row in csv.DictReader(open(sys.argv[1], newline=''), delimiter=sys.argv[2]): \
    print(json.dumps(row))";
const DUCKDB: &str = "import duckdb, json, sys\nfound = duckdb.sql(\"SELECT * FROM read_csv('\" + sys.argv[1] + \"', \
    delim='\" + sys.argv[2] + \"', header=true, all_varchar=true, quote='\\\"', escape='\\\"')\")\n\
    for row in found.fetchall(): print(json.dumps(dict(zip(found.columns, ['' if cell is None else cell for cell in row]))))";

/// The same of a Parquet file, after a check of its types; every cell as a text.
const DUCKDB_PARQUET: &str = "import duckdb, json, sys\nfound = duckdb.sql(\"SELECT * FROM read_parquet('\" + sys.argv[1] + \"')\")\n\
    types = dict(zip(found.columns, [str(of) for of in found.types]))\n\
    assert [types.pop(name) for name in ['seq', 'exit_code', 'seconds']] == ['BIGINT', 'BIGINT', 'DOUBLE'], types\n\
    assert set(types.values()) == {'VARCHAR'}, types\n\
    for row in found.fetchall(): \
        print(json.dumps(dict(zip(found.columns, ['' if cell is None else str(cell) for cell in row]))))";

/// The same by pandas, which is told to guess no types of a text.
const PANDAS: &str = "import pandas, json, sys\n\
    if sys.argv[1] == 'parquet':\n \
        found = pandas.read_parquet(sys.argv[1], dtype_backend='numpy_nullable')\n \
        types = {name: str(of) for name, of in found.dtypes.items()}\n \
        assert [types.pop(name) for name in ['seq', 'exit_code', 'seconds']] == ['Int64', 'Int64', 'Float64'], types\n \
        assert set(types.values()) == {'string'}, types\n\
    else:\n \
        found = pandas.read_csv(sys.argv[1], sep=sys.argv[2], dtype=str, keep_default_na=False)\n\
    for row in found.to_dict('records'): \
        print(json.dumps({name: '' if pandas.isna(cell) else str(cell) for name, cell in row.items()}))";

/// Returns the rows of a table as a reader sees them, without how long units took; none where it is not installed.
fn read_back(world: &World, reader: &str, file: &str, delimiter: &str) -> Option<Vec<Value>> {
    let (python, script) = match reader {
        // It reads Parquet with another package.
        "pandas" => (python_with("pandas, pyarrow"), PANDAS),
        "duckdb" if file == "parquet" => (python_with("duckdb"), DUCKDB_PARQUET),
        "duckdb" => (python_with("duckdb"), DUCKDB),
        _ => (Some("python3".into()), PYTHON),
    };
    let Some(python) = python else {
        without(&format!("no {reader}, a package of Python"));
        return None;
    };
    let Ok(read) = world.command(python).args(["-c", script, file, delimiter]).output() else {
        without_tool("python3");
        return None;
    };
    assert!(read.status.success(), "{reader}: {}", text(&read.stderr));
    let rows = text(&read.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>();
    let timed = rows.into_iter().map(|mut row| {
        let seconds = row.as_object_mut().unwrap().remove("seconds").unwrap();
        assert!(row["status"] == "failed" || seconds.as_str().unwrap().parse::<f64>().is_ok(), "{row} {seconds}");
        row
    });
    Some(timed.collect())
}

#[test]
fn a_table_of_results_has_the_columns_of_the_input_and_comes_back_from_every_reader() {
    let world = World::new();
    world.write("in.csv", "name,status,note\n\"a, b\",x,\"say \"\"hi\"\"\"\n\"tab\there\",y,\"two\nlines\"\nc,,\n");
    let script = "test $JOB_MANAGER_UNIT != 3 || exit 7; printf '{{\"n\":1.50,\"deep\":{{\"list\":[1]}},\"item\":%s}}' $JOB_MANAGER_UNIT";
    let run = ["run", "-q", "--csv", "in.csv", "--result", "json", "--max-attempts", "1", "--shell", "--", script];
    assert_eq!(world.run(&run).status.code(), Some(10));
    let row = |seq: &str, name: &str, status: &str, note: &str| {
        json!({"seq": seq, "key": "", "status": "completed", "name": name, "item.status": status, "note": note,
            "result.n": "1.50", "result.deep.list": "[1]", "result.item": seq, "error": "", "exit_code": "0"})
    };
    let failed = json!({"seq": "3", "key": "", "status": "failed", "name": "c", "item.status": "", "note": "",
        "result.n": "", "result.deep.list": "", "result.item": "", "error": "exited with code 7", "exit_code": "7"});
    let expected = [row("1", "a, b", "x", "say \"hi\""), row("2", "tab\there", "y", "two\nlines"), failed];

    for (format, delimiter) in [("csv", ","), ("tsv", "\t")] {
        fs::write(world.path(format), world.run(&["results", "--format", format]).stdout).unwrap();
        for reader in ["python3", "duckdb", "pandas"] {
            if let Some(rows) = read_back(&world, reader, format, delimiter) {
                assert_eq!(rows, expected, "{format} by {reader}");
            }
        }
    }
    if cfg!(feature = "parquet") {
        fs::write(world.path("parquet"), world.run(&["results", "--format", "parquet"]).stdout).unwrap();
        for reader in ["duckdb", "pandas"] {
            if let Some(rows) = read_back(&world, reader, "parquet", "") {
                assert_eq!(rows, expected, "Parquet by {reader}");
            }
        }
        let output = world.job_manager(&["results", "--format", "parquet", "--status", "pending"]).output().unwrap();
        assert!(output.stdout.starts_with(b"PAR1") && output.stdout.ends_with(b"PAR1"), "a file without rows");
    } else {
        assert!(world.fails(2, &["results", "--format", "parquet"]).contains("without the feature parquet"));
    }

    let lines = world.ok(&["results"]);
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!((&last["payload"]["name"], &last["exit_code"]), (&json!("c"), &json!(7)));
    assert!(last["seconds"].is_f64());
    world.fails(2, &["--json", "results", "--format", "tsv"]);
}

#[test]
fn objects_with_other_names_have_columns_of_their_own_and_what_is_no_object_has_one_too() {
    let world = World::new();
    world.write("in.jsonl", "{\"a\":1,\"b\":{\"c\":true}}\n\"text\"\n{\"z\":null,\"a\":\"x\"}\n");
    world.ok(&["create", "-q", "--jsonl", "in.jsonl", "--", "true"]);

    let csv = world.ok(&["results", "--format", "csv"]);

    let expected = "seq,key,status,item,a,b.c,z,result,error,exit_code,seconds\n1,,pending,,1,true,,,,,\n\
        2,,pending,text,,,,,,,\n3,,pending,,x,,,,,,";
    assert_eq!(csv, expected);
}

#[test]
fn a_report_is_one_page_that_fetches_nothing_and_in_which_text_of_others_stays_text() {
    let world = World::new();
    let evil = "<script>alert(1)</script>|`x`";
    let script = "echo '<b>no</b>' >&2; test $JOB_MANAGER_UNIT = 1";
    let run = ["run", "-q", "--name", evil, "--max-attempts", "1", "--shell", "--", script, ":::", evil, "b", "c"];
    assert_eq!(world.run(&run).status.code(), Some(10));

    let html = world.ok(&["report"]);
    let markdown = world.ok(&["report", "--format", "md"]);

    let kind = world.ok(&["failures", "-q"]);
    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>"), "{html}");
    assert!(html.contains("Job 1: &lt;script&gt;alert(1)") && html.contains("&lt;b&gt;no"), "{html}");
    for never in ["<script", "<b>", "http:", "https:", "src=", "url("] {
        assert!(!html.contains(never), "{never}: {html}");
    }
    assert_eq!(html.matches("<svg").count(), 2);
    assert!(html.contains(" failed</title>"), "{html}");
    for page in [&html, &markdown] {
        assert!(page.contains(&format!("job-manager retry 1 --cluster {kind}")), "{page}");
    }
    assert!(markdown.starts_with("# Job 1: &lt;script\\>") && !markdown.contains("<script"), "{markdown}");
    world.fails(2, &["--json", "report"]);
}
