//! Measures how many Hessian-vector products each strategy takes to follow λ_max along a run, and how far below λ_max
//! its values are.
//!
//! `cargo bench --bench strategies` trains the cells of `strategies/recorded.rs`. At each measured step, every
//! strategy, with its own memory, measures λ_max, and so does an accurate reference. It takes some minutes. `cargo
//! bench --bench strategies -- sgd cnn` runs only the cells whose names contain one of the words. `several` among the words
//! measures the track of several eigenvalues instead.

#[path = "strategies/lobpcg.rs"]
mod lobpcg;
#[path = "strategies/recorded.rs"]
mod recorded;
#[path = "strategies/several.rs"]
mod several;
#[path = "strategies/strategy.rs"]
mod strategy;

use std::time::Instant;

use burn::tensor::Tensor;
use recorded::{CELLS, Cell, Recorded};
use several::Several;
use strategy::Reference;

/// v ↦ H v.
type Product<'a> = dyn FnMut(&Tensor<1>) -> Tensor<1> + 'a;

/// λ_max and products of one measurement.
#[derive(Clone, Copy)]
struct Measured {
    value: f64,
    products: u64,
}

fn main() {
    // Cargo adds `--bench`.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let (several, words): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| word == "several");
    for cell in CELLS {
        if words.is_empty() || words.iter().any(|word| cell.name.contains(word)) {
            if several.is_empty() {
                study(cell);
            } else {
                study_several(cell);
            }
        }
    }
}

fn study_several(cell: &Cell) {
    let mut run = Recorded::new(cell);
    let mut several = Several::new();
    while run.advance() {
        let like = run.parameters();
        run.with_hessian(|product| several.measure(product, &like));
    }
    println!("\n{}, several eigenvalues", cell.name);
    several.print();
}

fn study(cell: &Cell) {
    let started = Instant::now();
    let mut run = Recorded::new(cell);
    let mut reference = Reference::default();
    let mut strategies = strategy::all();
    let mut truth = Vec::new();
    let mut measured: Vec<Vec<Measured>> = strategies.iter().map(|_| Vec::new()).collect();
    while run.advance() {
        let like = run.parameters();
        run.with_hessian(|product| {
            truth.push(reference.measure(product, &like));
            for ((_, strategy), values) in strategies.iter_mut().zip(&mut measured) {
                values.push(strategy.measure(product, &like));
            }
        });
    }
    let values = truth.iter().map(|t| t.value);
    println!(
        "\n{}: {} measurements, λ_max {:.1} to {:.1}, {} parameters; {:.0} s",
        cell.name,
        truth.len(),
        values.clone().fold(f64::INFINITY, f64::min),
        values.fold(f64::NEG_INFINITY, f64::max),
        run.parameters().dims()[0],
        started.elapsed().as_secs_f64(),
    );
    println!("                                           products             more than 1 % low");
    println!("strategy                                 median   mean   values    share    worst");
    for ((name, _), values) in strategies.iter().zip(&measured) {
        print_row(name, values, &truth);
    }
}

/// Prints the row of one strategy. Products of the first measurement, which is cold for every strategy, are not
/// counted.
fn print_row(name: &str, measured: &[Measured], truth: &[Measured]) {
    let mut products: Vec<u64> = measured[1..].iter().map(|m| m.products).collect();
    products.sort_unstable();
    let mean = products.iter().sum::<u64>() as f64 / products.len() as f64;
    let low = measured.iter().zip(truth).map(|(m, t)| 1.0 - m.value / t.value);
    // NaN counts as an error of 100 %.
    let low: Vec<f64> = low.map(|low| if low.is_nan() { 1.0 } else { low }).collect();
    let missed = low.iter().filter(|&&low| low > 0.01).count();
    println!(
        "{name:40} {:6} {mean:6.2}   {missed:6} {:6.1} % {:6.2} %",
        products[products.len() / 2],
        100.0 * missed as f64 / low.len() as f64,
        100.0 * low.iter().copied().fold(0.0, f64::max),
    );
}
