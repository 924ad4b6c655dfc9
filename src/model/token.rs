//! The name of a unit for those whom it asks: the same in every attempt, and no other unit's.

use uuid::Uuid;

use super::Seq;

/// Returns the token of a unit: the job's own id, with the number of the unit added to its last part.
///
/// Ids of two jobs differ before their last 32 bits, which are random, so that no two units have the same token.
pub fn unit_token(job_uid: &str, unit: Seq) -> String {
    match job_uid.parse::<Uuid>() {
        Ok(job) => Uuid::from_u128(job.as_u128() ^ u128::from(unit.0.cast_unsigned() & 0xffff_ffff)).to_string(),
        // Only somebody who wrote into the database gave it another form.
        Err(_) => format!("{job_uid}-{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_unit_of_each_job_has_one_token_which_is_a_uuid() {
        let jobs: Vec<String> = (0..100).map(|_| Uuid::now_v7().to_string()).collect();

        let tokens: HashSet<String> =
            jobs.iter().flat_map(|job| (1..=100).map(|seq| unit_token(job, Seq(seq)))).collect();

        assert_eq!(tokens.len(), 10_000);
        assert!(tokens.iter().all(|token| token.parse::<Uuid>().is_ok()));
        assert_eq!(unit_token(&jobs[0], Seq(7)), unit_token(&jobs[0], Seq(7)));
    }
}
