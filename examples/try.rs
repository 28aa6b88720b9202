use sharptui::{config::*, data::Dataset, event::*, model::*, train::*};
use burn::tensor::DType;
fn main() {
    let mlp = std::env::args().nth(1).as_deref() != Some("cnn");
    let lr: f64 = std::env::args().nth(2).map(|x| x.parse().unwrap()).unwrap_or(0.05);
    let steps: u64 = std::env::args().nth(3).map(|x| x.parse().unwrap()).unwrap_or(300);
    let settings = Settings {
        data: Data::FashionMnistSubset, train_examples: Extent::Count(1000), test_examples: Extent::Full,
        model: if mlp { Model::Mlp { widths: vec![200, 200] } } else { Model::Cnn { channels: (8, 16) } },
        activation: Activation::Tanh, dropout: 0.0, batch_norm: false, loss: Loss::SquaredError, learning_rate: lr,
        momentum: 0.0, weight_decay: 0.0, batch_size: Extent::Full, seed: 0, steps: Some(steps), epochs: None,
        until_train_loss: None, until_train_accuracy: None, evaluate_every: Cadence::Steps(50), lambda_every: Tracking::Steps(10),
        lambda_tolerance: 0.01, lambda_max_products: 200, audit_every: 10,
        probes: vec![Probe { from: Split::Training, examples: Extent::Full, statistics: Statistics::Batch, group: Extent::Full }],
        chunk_size: 1000, statistics_group: Extent::Full, precision: Precision::F32,
    };
    let data = Dataset::load(settings.data, settings.train_examples, settings.test_examples, None).unwrap();
    let device = sharptui::device::open(Default::default()).unwrap().device;
    let train_set = Examples::upload(&data.train.pixels, &data.train.labels, 10, &device, DType::F32);
    let test_set = Examples::upload(&data.test.pixels, &data.test.labels, 10, &device, DType::F32);
    let network = Network::new(&settings, data.shape, data.classes);
    let (_c, r) = crossbeam_channel::unbounded::<Command>();
    let (e, _ev) = crossbeam_channel::unbounded();
    let mut control = Control::new(r); let mut outbox = Outbox::new(e);
    let t = std::time::Instant::now();
    let mut lam = 0.0; let mut prods = vec![];
    let trained = train(Task { cell: 0, settings: &settings, network: &network, train: &train_set, test: &test_set, device: &device }, &mut control, &mut outbox, &mut |p: &Point| {
        if let Some(l) = &p.lambda { lam += l.lambda_seconds; if !l.lambda_audited {prods.push(l.lambda_hvps);} 
          println!("{} loss {:?} acc {:?} lambda {:.3} res {:.3} {} hvps {} {:.2}s thr {:?} {:?}", p.step, p.train_loss, p.test_accuracy, l.lambda_max, l.lambda_residual, l.lambda_converged, l.lambda_hvps, l.lambda_seconds, p.threshold, l.lambda_corrected_from); }
        Ok(()) }).map_err(|e| e.to_string()).unwrap();
    prods.sort();
    println!("{:?} {:?} total {:.2} lambda {:.2} median products {}", trained.ending, trained.summary, t.elapsed().as_secs_f64(), lam, prods[prods.len()/2]);
}
