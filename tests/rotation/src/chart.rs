//! Draws a chart of a run: calls per second, the pair in use, and the time that calls took.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::run::RunOutcome;

const WIDTH: f64 = 1000.0;
const LEFT: f64 = 70.0;
const SECOND: f64 = 1e9;

struct Panel {
    top: f64,
    height: f64,
    most: f64,
}

impl Panel {
    fn y(&self, value: f64) -> f64 {
        self.top + self.height * (1.0 - value / self.most)
    }
}

/// Returns the chart as SVG.
#[expect(clippy::cast_precision_loss, reason = "a chart")]
pub fn draw(outcome: &RunOutcome, title: &str) -> String {
    let ends = outcome.reports.iter().flat_map(|report| &report.calls).map(|call| call.ended);
    let length = (ends.max().unwrap_or(outcome.began) - outcome.began) as f64 / SECOND;
    let x = |at: i64| LEFT + (at - outcome.began) as f64 / SECOND / length * (WIDTH - LEFT - 20.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} 560\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"560\" fill=\"white\"/>\n<text x=\"{LEFT}\" y=\"22\" font-size=\"15\">{title}</text>\n"
    );
    for (reset, followed) in &outcome.resets {
        let (from, to) = (x(*reset), x(*followed));
        let _infallible = writeln!(
            svg,
            "<rect x=\"{from:.1}\" y=\"40\" width=\"{:.1}\" height=\"480\" fill=\"#fdd\"/>",
            (to - from).max(1.0)
        );
    }

    let calls = || outcome.reports.iter().flat_map(|report| &report.calls);
    let second = |at: i64| usize::try_from((at - outcome.began) / 1_000_000_000).unwrap_or_default();
    let seconds = calls().map(|call| second(call.ended)).max().unwrap_or_default().max(1);
    let mut rates = vec![0.0; seconds + 1];
    for call in calls() {
        rates[second(call.ended)] += 1.0;
    }
    let most = rates.iter().copied().fold(1.0, f64::max);
    let panel = Panel { top: 50.0, height: 130.0, most };
    // The last second is incomplete, so it is left out.
    let middles = (outcome.began + 500_000_000..).step_by(1_000_000_000);
    let line: Vec<(f64, f64)> =
        middles.zip(&rates[..seconds]).map(|(middle, rate)| (x(middle), panel.y(*rate))).collect();
    axis(&mut svg, &panel, "calls per second");
    polyline(&mut svg, &line, "#06c");

    let generations = outcome.resets.len() as f64 + 1.0;
    let panel = Panel { top: 210.0, height: 130.0, most: generations };
    axis(&mut svg, &panel, "pair in use, one line per process");
    for (process, report) in outcome.reports.iter().enumerate() {
        let shift = process as f64 * 0.8;
        let mut steps = vec![(x(outcome.began), panel.y(1.0) - shift)];
        for event in report.events.iter().filter(|event| event.kind == 1) {
            let before = steps.last().map_or(0.0, |step| step.1);
            steps.push((x(event.at), before));
            steps.push((x(event.at), panel.y(event.generation as f64) - shift));
        }
        steps.push((WIDTH - 20.0, steps.last().map_or(0.0, |step| step.1)));
        polyline(&mut svg, &steps, "#393");
    }

    let took = |call: &crate::worker::WorkerCall| (call.ended - call.began) as f64 / SECOND;
    let longest = calls().map(took).fold(0.1, f64::max);
    let panel = Panel { top: 370.0, height: 150.0, most: longest };
    axis(&mut svg, &panel, "time of a call, s");
    // Calls at the same position share a dot, which keeps the file small.
    for (failed, color) in [(false, "#333"), (true, "#d00")] {
        let mine = calls().filter(|call| (call.status != 0) == failed);
        let dots: BTreeSet<String> =
            mine.map(|call| format!("M{:.0} {:.0}h0", x(call.began), panel.y(took(call)))).collect();
        let path = dots.into_iter().collect::<String>();
        let _infallible = writeln!(
            svg,
            "<path d=\"{path}\" stroke=\"{color}\" stroke-width=\"2\" stroke-linecap=\"round\"/>"
        );
    }
    let _infallible = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"545\">{length:.0} s; red: from a reset until the sources had the new pair</text>\n</svg>"
    );
    svg
}

fn axis(svg: &mut String, panel: &Panel, name: &str) {
    let (top, bottom) = (panel.top, panel.top + panel.height);
    let _infallible = writeln!(
        svg,
        "<path d=\"M{LEFT} {top}V{bottom}H{}\" fill=\"none\" stroke=\"#888\"/>\n\
         <text x=\"{}\" y=\"{}\">{name}</text>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{:.1}</text>\n<text x=\"{}\" y=\"{bottom}\" text-anchor=\"end\">0</text>",
        WIDTH - 20.0,
        LEFT + 6.0,
        top + 10.0,
        LEFT - 6.0,
        top + 10.0,
        panel.most,
        LEFT - 6.0,
    );
}

fn polyline(svg: &mut String, points: &[(f64, f64)], color: &str) {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _infallible =
        writeln!(svg, "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\"/>", points.join(" "));
}
