//! What a job has spent by one of its meters, and how many attempts that lets be under way.

use super::{Amount, Costs, Meter, Timestamp};

/// What one meter of a job has counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spending {
    /// Name of the meter.
    pub name: String,
    /// What all attempts have cost.
    pub spent: Amount,
    /// Attempts whose cost is not known: each counts as what an attempt usually costs.
    pub unmetered: u64,
    /// When the day of its budget began, the last time that somebody looked.
    pub day_start: Timestamp,
    /// What had been spent before that day.
    pub before_day: Amount,
    /// What attempts cost.
    pub costs: Costs,
}

impl Spending {
    /// Begins what is said of a budget that lets no attempt start.
    pub(crate) const BUDGET_OF: &str = "budget of ";

    /// Part of what is said of a budget or a rate that cannot be kept, because nobody knows what an attempt has cost.
    pub(crate) const NOBODY_KEEPS: &str = "so that nobody keeps the";

    /// Returns what a meter says that has counted nothing.
    pub fn none(name: &str) -> Spending {
        Spending {
            name: name.to_owned(),
            spent: Amount::ZERO,
            unmetered: 0,
            day_start: Timestamp::from_micros(0),
            before_day: Amount::ZERO,
            costs: Costs::default(),
        }
    }

    /// Returns what is set aside for an attempt: what most of them cost; until some are known the largest cost, or what was said
    /// when the job was created. None while nothing tells.
    pub fn reservation(&self, meter: &Meter) -> Option<Amount> {
        let usual = self.costs.usual();
        if self.costs.are_enough() { usual } else { usual.max(meter.reserve) }
    }

    /// Returns what counts for the budget of the meter: all, or what the day has cost.
    pub fn counted(&self, meter: &Meter) -> Amount {
        if meter.is_daily() { self.spent.saturating_sub(self.before_day) } else { self.spent }
    }

    /// Returns how many attempts may be under way at the same time within the budget; one while nothing tells what it costs.
    pub fn most_under_way(&self, meter: &Meter) -> usize {
        let Some(budget) = &meter.budget else {
            // A rate too cannot be kept by many attempts of unknown cost.
            return if meter.rate.is_some() && self.reservation(meter).is_none() { 1 } else { usize::MAX };
        };
        let counted = self.counted(meter);
        if counted > budget.amount {
            return 0;
        }
        let left = budget.amount.saturating_sub(counted);
        match self.reservation(meter) {
            None => usize::from(left > Amount::ZERO),
            Some(Amount::ZERO) => usize::MAX,
            Some(each) => usize::try_from(left.millionths() / each.millionths()).unwrap_or(usize::MAX),
        }
    }

    /// Says why no attempt fits into the budget, as a person is told.
    pub fn over_budget(&self, meter: &Meter) -> String {
        let (amount, day, today) = match &meter.budget {
            Some(budget) if budget.day_zone.is_some() => (budget.amount, " a day", " today"),
            Some(budget) => (budget.amount, "", ""),
            None => (Amount::ZERO, "", ""),
        };
        let each = match self.reservation(meter) {
            Some(each) => format!(", a unit costs about {}", each.about()),
            None => String::new(),
        };
        format!("{}{amount} {}{day}: {} spent{today}{each}", Self::BUDGET_OF, self.name, self.counted(meter))
    }

    /// Returns what the job will have cost when `left` of its units have ended too, of which `ended` have: the expected sum
    /// between bounds that hold in 90 of 100 cases. None while too little is known.
    pub fn at_the_end(&self, ended: u64, left: u64) -> Option<[Amount; 3]> {
        let (_, deviation) = self.costs.mean_and_deviation().filter(|_| ended > 0 && self.costs.are_enough())?;
        let (spent, left, ended) = (self.spent.millionths() as f64, left as f64, ended as f64);
        // A unit may take several attempts; what each of them has cost is in the sum.
        let mean = spent / ended;
        let attempts = (self.costs.known as f64 / ended).max(1.0);
        let spread = 1.645 * deviation * attempts.sqrt() * (left + left * left / ended).sqrt();
        let sum = |more: f64| Amount::from_millionths((spent + more.max(0.0)).min(9e18) as i64);
        Some([sum(mean * left - spread)?, sum(mean * left)?, sum(mean * left + spread)?])
    }
}

/// Finds what a meter has counted.
pub(crate) fn spending_of<'a>(spending: &'a [Spending], meter: &Meter) -> Option<&'a Spending> {
    spending.iter().find(|spending| spending.name == meter.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Budget;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    fn meter(budget: &str) -> Meter {
        Meter { budget: Some(Budget { amount: amount(budget), day_zone: None }), ..Meter::new("usd") }
    }

    fn spent(sum: &str, costs: &[&str]) -> Spending {
        let mut spending = Spending { spent: amount(sum), ..Spending::none("usd") };
        costs.iter().for_each(|cost| spending.costs.add(amount(cost)));
        spending
    }

    #[test]
    fn a_unit_starts_only_if_what_is_spent_and_reserved_fits_into_the_budget() {
        let most = |spending: Spending| spending.most_under_way(&meter("50"));

        assert_eq!(most(spent("0", &[])), 1, "one at a time while nothing tells");
        assert_eq!(most(spent("50", &[])), 0);
        assert_eq!(most(spent("49.71", &["0.42"; 5])), 0);
        assert_eq!(most(spent("40", &["0.5", "2"])), 5, "the largest while few are known");
        assert_eq!(most(spent("49", &["0.5"; 9])), 2);
        assert_eq!(most(spent("50", &["0"; 9])), usize::MAX);
        assert_eq!(most(spent("50.01", &["0"; 9])), 0);
        let reserve = Meter { reserve: Some(amount("10")), ..meter("50") };
        assert_eq!(Spending::none("usd").most_under_way(&reserve), 5);
        assert_eq!(
            spent("49.71", &["0.42"; 5]).over_budget(&meter("50")),
            "budget of 50 usd: 49.71 spent, a unit costs about 0.42"
        );
    }

    #[test]
    fn a_budget_of_a_day_counts_what_the_day_has_cost() {
        let daily =
            Meter { budget: Some(Budget { amount: amount("20"), day_zone: Some("UTC".to_owned()) }), ..meter("1") };
        let spending = Spending { before_day: amount("30"), ..spent("45", &["5"; 5]) };

        assert_eq!(spending.most_under_way(&daily), 1);
        let full = Spending { spent: amount("48"), ..spending };
        assert_eq!(full.over_budget(&daily), "budget of 20 usd a day: 18 spent today, a unit costs about 5");
    }

    #[test]
    fn what_the_job_costs_at_the_end_follows_from_what_units_have_cost() {
        let spending = spent("12.40", &["0.24", "0.25", "0.24", "0.26", "0.25", "0.25"]);

        let [low, expected, high] = spending.at_the_end(50, 116).unwrap();

        assert_eq!(expected, amount("41.168"));
        assert!(low < expected && expected < high && high < amount("45"), "{low} {high}");
        assert!(spent("1", &["1"]).at_the_end(1, 9).is_none());
    }
}
