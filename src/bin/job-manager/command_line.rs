//! Command lines for people, whichever face tells of them: what `explain` advises.

use job_manager::explain::NextStep;

/// Returns the command line that does or shows what is advised.
pub fn command_line(step: &NextStep) -> String {
    let verb = match step {
        NextStep::Start(job) => format!("start {job}"),
        NextStep::Resume(job) => format!("resume {job}"),
        NextStep::Recover(job) => format!("recover {job}"),
        NextStep::Approve(job) => format!("approve {job}"),
        NextStep::Review(job) => format!("review {job}"),
        NextStep::Cancel(job) => format!("cancel {job}"),
        NextStep::StopNow(job) => format!("stop {job} --now"),
        NextStep::Wait(job) => format!("wait {job}"),
        NextStep::Status(job) => format!("status {job}"),
        NextStep::ManagerLog(job) => format!("logs {job} --manager"),
        NextStep::Explain(job) => format!("explain {job}"),
        NextStep::Failures(job) => format!("failures {job}"),
        NextStep::Results(job) => format!("results {job}"),
        NextStep::PendingUnits(job) => format!("units {job} --status pending"),
        NextStep::Unit(unit) => format!("unit {unit}"),
        NextStep::RetryUnit(unit) => format!("retry {} --seq {}", unit.job(), unit.seq()),
        NextStep::RetryWaiting(job) => format!("retry {job} --status pending"),
        NextStep::RetryWaitingUnit(unit) => format!("retry {} --seq {} --status pending", unit.job(), unit.seq()),
        NextStep::RetrySkipped(unit) => format!("retry {} --seq {} --status skipped", unit.job(), unit.seq()),
        NextStep::RetryCancelled(job) => format!("retry {job} --status cancelled"),
        NextStep::Scale { job, workers } => format!("scale {job} {workers}"),
        NextStep::Lift { job, limit } => format!("set {job} {limit}=none"),
        NextStep::RaiseBudget { job, meter, amount, daily } => {
            format!("set {job} budget.{meter}={amount}{}", if *daily { "/day" } else { "" })
        }
        NextStep::RunningJobs => "list --status running".to_owned(),
        NextStep::Process(pid) => return format!("ps -fp {pid}"),
        // Harmless for a process that is not suspended.
        NextStep::ContinueProcess(pid) => return format!("kill -CONT {pid}"),
        // What a later library advises is examined here too.
        NextStep::Doctor | _ => "doctor".to_owned(),
    };
    format!("job-manager {verb}")
}

#[cfg(test)]
mod tests {
    use job_manager::model::{Amount, JobId, Seq, UnitId};

    use super::*;

    #[test]
    fn every_next_step_is_a_command_line() {
        let (job, unit) = (JobId(7), UnitId::new(JobId(7), Seq(6)));
        let amount = Amount::from_millionths(500_000).unwrap();
        let raise = |daily| NextStep::RaiseBudget { job, meter: "usd".to_owned(), amount, daily };
        for (step, line) in [
            (NextStep::Start(job), "job-manager start 7"),
            (NextStep::Resume(job), "job-manager resume 7"),
            (NextStep::Recover(job), "job-manager recover 7"),
            (NextStep::Approve(job), "job-manager approve 7"),
            (NextStep::Cancel(job), "job-manager cancel 7"),
            (NextStep::StopNow(job), "job-manager stop 7 --now"),
            (NextStep::Wait(job), "job-manager wait 7"),
            (NextStep::Status(job), "job-manager status 7"),
            (NextStep::ManagerLog(job), "job-manager logs 7 --manager"),
            (NextStep::Explain(JobId(3)), "job-manager explain 3"),
            (NextStep::Failures(job), "job-manager failures 7"),
            (NextStep::Results(job), "job-manager results 7"),
            (NextStep::PendingUnits(job), "job-manager units 7 --status pending"),
            (NextStep::Unit(unit), "job-manager unit 7:6"),
            (NextStep::RetryUnit(unit), "job-manager retry 7 --seq 6"),
            (NextStep::RetrySkipped(unit), "job-manager retry 7 --seq 6 --status skipped"),
            (NextStep::RetryCancelled(job), "job-manager retry 7 --status cancelled"),
            (NextStep::Scale { job, workers: 2 }, "job-manager scale 7 2"),
            (NextStep::Lift { job, limit: "not-before" }, "job-manager set 7 not-before=none"),
            (raise(false), "job-manager set 7 budget.usd=0.50"),
            (raise(true), "job-manager set 7 budget.usd=0.50/day"),
            (NextStep::RetryWaiting(job), "job-manager retry 7 --status pending"),
            (NextStep::RetryWaitingUnit(unit), "job-manager retry 7 --seq 6 --status pending"),
            (NextStep::RunningJobs, "job-manager list --status running"),
            (NextStep::Doctor, "job-manager doctor"),
            (NextStep::Process(4711), "ps -fp 4711"),
            (NextStep::ContinueProcess(4711), "kill -CONT 4711"),
        ] {
            assert_eq!(command_line(&step), line);
        }
    }
}
