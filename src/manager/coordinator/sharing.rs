//! This manager's part of what the managers of its job have together: its rate, and workers where the job says how many those are.
//!
//! Each manager works its part out by itself, from the same rows, whenever somebody has written. With n managers at work each starts a
//! unit in n of the rate's intervals. Workers are granted: one that is to have fewer gives those back that are free, and one that is to
//! have more uses none before they were.

use super::Coordinator;
use crate::manager::error::ManagerError;
use crate::model::{Limits, Share};

impl Coordinator<'_> {
    /// Returns `true` if other managers have units; that they had some by the latest look stands until the next one.
    pub(super) fn do_others_have_units(&mut self) -> Result<bool, ManagerError> {
        if !self.claims.do_others_have_units() && self.store.others_have_units(self.lease, self.reach().last())? {
            self.claims.others_have_some();
        }
        Ok(self.claims.do_others_have_units())
    }

    /// Takes up this manager's share, with the limits of the job as they were read.
    pub(super) fn take_share(&mut self, limits: &mut Limits, share: Option<Share>) -> Result<(), ManagerError> {
        let Some(share) = share else {
            // Nobody else has any.
            limits.workers = limits.total_workers.unwrap_or(limits.workers);
            return Ok(());
        };
        self.shared.learn_failures(share.failures);
        if share.is_spare(limits) {
            limits.workers = 0;
        } else if let Some(total) = limits.total_workers {
            limits.workers = self.own_workers(share, total)?;
        }
        if share.at_work != self.at_work {
            self.at_work = share.at_work;
            if let Some(rate) = limits.rate.filter(|rate| self.job.limits.rate == Some(*rate)) {
                self.shared.feed.change_interval(rate.interval_among(share.at_work));
            }
        }
        Ok(())
    }

    /// Returns how many units may run here at a time, and gives workers back that others are to have.
    fn own_workers(&mut self, share: Share, total: usize) -> Result<usize, ManagerError> {
        let most = self.most_workers.unwrap_or(usize::MAX).min(Limits::MAX_WORKERS);
        let own = share.of_workers(total).min(most);
        if share.granted < own {
            return Ok(self.store.grant(self.lease, own, total)?.min(own));
        }
        if share.granted > own {
            // Before it is looked how many are free: none of these is to be taken again.
            self.permits.rebalance(&self.shared.feed, own);
            let kept = self.shared.feed.level().busy.max(own);
            if kept < share.granted {
                self.store.grant(self.lease, kept, total)?;
            }
        }
        Ok(own)
    }

    /// Gives back, while no unit may run here, the ranges of which none does.
    pub(super) fn hand_over(&mut self) -> Result<(), ManagerError> {
        self.stand_by()?;
        let in_hand = self.shared.feed.forget_idle();
        if self.handed_over != Some(in_hand.len()) {
            self.store.give_back_but(self.lease, &in_hand)?;
            self.handed_over = Some(in_hand.len());
        }
        Ok(())
    }
}
