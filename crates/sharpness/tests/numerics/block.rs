//! Compares blocks of the Hessian with those of the dense matrix.

use std::ops::Range;

use nalgebra::DVector;
use sharpness::curvature::{Block, Hessian, Search, SymmetricOperator, largest_eigenvalue};

use super::problem::{DEEP, Known, PROBLEMS};
use super::vectors::{dense, largest, normal, relative_error, symmetric, tensor, vector};

fn search() -> Search {
    Search {
        tolerance: 1e-4,
        min_products: 0,
        max_products: 1_000,
        wanted_vectors: 1,
    }
}

#[test]
fn products_with_every_weight_and_bias_and_lambda_max_of_every_layer_are_those_of_the_dense_block() {
    for Known { name, problem, hessian } in PROBLEMS.iter().step_by(7) {
        let layout = problem.network.layout();
        let layers = layout
            .layers()
            .into_iter()
            .map(|(name, range)| (name.to_owned(), range));
        let entries = layout.entries().iter().map(|e| (e.name.clone(), e.range()));
        let top = largest(hessian);
        let mut go_on = || true;
        let mut whole = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
        for (index, (of, range)) in layers.chain(entries).enumerate() {
            let (start, length) = (range.start, range.len());
            let matrix = hessian.view((start, start), (length, length));
            let matrix = (matrix + matrix.transpose()) / 2.0;
            let mut block = Block::new(&mut whole, range, problem.len());
            let v = DVector::from(normal(1, length));
            let product = vector(&block.apply(&tensor(v.as_slice())).unwrap());
            let off = (product - &matrix * &v).norm();
            assert!(off < 1e-8 * top * v.norm(), "{name}, {of}: {off:e}");
            if index >= layout.layers().len() {
                continue;
            }
            let found = largest_eigenvalue(&mut block, &[tensor(&normal(2, length))], &search()).unwrap();
            // The values of some biases before batch norm are 0.
            let off = (found.value - largest(&matrix)).abs();
            assert!(off < 1e-6 * top, "{name}, {of}: off by {off:e}");
        }
    }
}

#[test]
fn layers_cover_all_parameters_once_and_have_pytorchs_names() {
    for (_, problem) in DEEP.iter() {
        let layout = problem.network.layout();
        let layers = layout.layers();
        let mut next = 0;
        for (name, range) in &layers {
            assert_eq!(range.start, next, "{name}");
            next = range.end;
        }
        assert_eq!(next, layout.len());
        let names: std::collections::BTreeSet<&str> = layers.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), layers.len(), "each layer is one range");
    }
    let (_, resnet) = DEEP.iter().find(|(name, _)| name.contains("ResNet18")).unwrap();
    let layers = resnet.network.layout().layers();
    assert!(
        layers.iter().any(|(name, _)| *name == "layer2.0.downsample.0"),
        "{layers:?}"
    );
}

#[test]
fn blocks_at_both_ends_and_the_whole_are_those_of_the_matrix() {
    let matrix = symmetric(3, 20);
    let of = |range: Range<usize>| {
        let v = DVector::from(normal(1, range.len()));
        let expected = matrix.view((range.start, range.start), (range.len(), range.len())) * &v;
        let mut whole = dense(&matrix);
        let mut block = Block::new(&mut whole, range, 20);
        relative_error(&vector(&block.apply(&tensor(v.as_slice())).unwrap()), &expected)
    };
    for range in [0..20, 0..7, 7..20, 3..4, 5..15] {
        assert!(of(range) < 1e-13);
    }
}

#[test]
#[should_panic(expected = "no block 5..25 in 20 rows")]
fn a_block_outside_of_the_matrix_is_refused() {
    let _ = Block::new(&mut dense(&symmetric(3, 20)), 5..25, 20);
}
