//! What is drawn of the curves and of the finished cells, one file a chart.

pub(super) mod accuracy;
pub(super) mod copy;
mod curves;
pub(super) mod lambda;
pub(super) mod loss;
mod overlaid;
pub(super) mod scatter;
mod smooth;
pub(super) mod sweep;
