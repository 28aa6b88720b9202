//! A run of another program.

use super::*;
use crate::event::{CellPlan, LambdaPoint, Point, Standing, StandingKind, SweepPlan};
use crate::quantity::{ACCURACY, LAMBDA, LOSS, TEST_ACCURACY};

/// Returns the screen of two runs, of which the second has a λ_max without residual.
fn runs() -> Fixture {
    let mut fixture = Fixture::half_way();
    let plan = |name: &str| CellPlan {
        swept: vec![("run".to_owned(), name.to_owned())],
        ..CellPlan::default()
    };
    tell(
        &mut fixture,
        Event::SweepStarted(SweepPlan {
            name: "logs".to_owned(),
            run_dir: "logs".into(),
            device: "CSV files".to_owned(),
            cells: vec![plan("a"), plan("b")],
            earlier_seconds: 0.0,
        }),
    );
    tell(&mut fixture, Event::Foreign("read from CSV files".to_owned()));
    for cell in 0..2 {
        let standing = Some(Standing {
            kind: StandingKind::Growing,
            words: "its files grow".to_owned(),
        });
        tell(&mut fixture, Event::CellStarted { cell });
        tell(&mut fixture, Event::Standing { cell, standing });
        let lambda = (cell == 1).then(|| LambdaPoint {
            lambda_max: 12.5,
            lambda_residual: f64::NAN,
            lambda_converged: true,
            ..LambdaPoint::default()
        });
        let point = Point {
            step: 40,
            epoch: f64::NAN,
            seconds: f64::NAN,
            lambda,
            ..Point::default().with(TEST_ACCURACY.key, 0.75)
        };
        let point = Box::new(point);
        tell(&mut fixture, Event::Measured { cell, point });
    }
    fixture
}

#[test]
fn no_key_controls_a_run_of_another_program_and_quit_leaves_it() {
    let mut fixture = runs();
    for key in [' ', 'P', 'A', 'm', 'r', 'a', 'n', 'S', 'R', 'F', 'x', '[', ']', 'u'] {
        let said = press(&mut fixture, key);
        assert!(
            matches!(&said, Some(Effect::Say(words)) if words.contains("another program trains this run")),
            "{key}: {said:?}"
        );
    }
    assert_eq!(fixture.view.overlay, None);
    assert_eq!(press(&mut fixture, 'q'), Some(Effect::Detach));
}

#[test]
fn what_the_files_do_not_say_is_not_shown() {
    let mut fixture = runs();
    let drawn = fixture.drawn(crate::tui::screen::render, (130, 34));
    for words in ["○ read from CSV files", "2 runs", "▶ growing", "cells 2", "75.0%"] {
        assert!(drawn.contains(words), "{words}\n{drawn}");
    }
    for words in [
        " of 0",
        "done",
        "left",
        "edge of stability",
        "NaN",
        "train loss",
        "epochs",
    ] {
        assert!(!drawn.contains(words), "{words}\n{drawn}");
    }
    // The charts that have something come first, and no empty one is offered.
    let shown = |fixture: &Fixture| fixture.view.charts_now(&fixture.monitor).shown();
    assert_eq!(shown(&fixture), [&ACCURACY, &LAMBDA, &LOSS]);
    fixture.view.pinned = Some(1);
    assert_eq!(shown(&fixture), [&LAMBDA, &ACCURACY, &LOSS]);
    let drawn = fixture.drawn(crate::tui::screen::render, (130, 34));
    assert!(drawn.contains("λ_max 12.5 ─") && !drawn.contains('±'), "{drawn}");
    let said = press(&mut fixture, 'X');
    assert!(
        matches!(&said, Some(Effect::Say(words)) if words.contains("do not have the epochs")),
        "{said:?}"
    );
    assert!(
        fixture
            .drawn(crate::tui::screen::render, (130, 34))
            .contains("40 steps")
    );
    press(&mut fixture, 'i');
    let drawn = fixture.drawn(crate::tui::screen::render, (130, 34));
    assert!(
        drawn.contains("another program measured them") && !drawn.contains("2/η"),
        "{drawn}"
    );
}
