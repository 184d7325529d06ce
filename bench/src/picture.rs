//! The pictures of the report, as SVG.

use std::fmt::Write as _;

use crate::measured::Measured;
use crate::requests::{Setting, VERIFY};

const WIDTH: f64 = 760.0;
const ROW: f64 = 34.0;
const LEFT: f64 = 200.0;
const RIGHT: f64 = 110.0;

/// Draws the time and the processor time of a verification, from a raw socket to requests, on one logarithmic axis.
pub fn ladder(measured: &Measured) -> String {
    let rows: Vec<Bar> = measured
        .requests
        .iter()
        .filter(|row| row.job == VERIFY && row.setting == Setting::USUAL)
        .filter_map(|row| {
            let figures = row.figures.as_ref()?;
            Some(Bar {
                label: row.peer.to_owned(),
                long: figures.wall_ns / 1e3,
                short: figures.cpu_ns / 1e3,
                is_ours: row.peer.starts_with("justcall-auth"),
            })
        })
        .collect();
    bars("A verification: time (light) and the client's processor time (dark), in µs", &rows)
}

/// Draws the requests a second by the number of threads, and those of libcurl.
pub fn threads(measured: &Measured) -> String {
    let rows: Vec<Bar> = measured
        .scale
        .iter()
        .flat_map(|scale| &scale.threads)
        .filter(|row| row.kind == "free")
        .map(|row| Bar {
            label: format!("{} threads", row.threads),
            long: row.per_second,
            short: row.per_second / row.rate.median,
            is_ours: true,
        })
        .collect();
    bars("Requests a second: justcall-auth (light) and libcurl (dark)", &rows)
}

struct Bar {
    label: String,
    /// The figure of the light bar.
    long: f64,
    /// The figure of the dark bar, inside it.
    short: f64,
    is_ours: bool,
}

fn bars(title: &str, rows: &[Bar]) -> String {
    let height = rows.iter().fold(60.0, |height, _| height + ROW);
    let figures = || rows.iter().flat_map(|row| [row.long, row.short]);
    let (least, most) = (figures().fold(f64::INFINITY, f64::min) / 2.0, figures().fold(0.0, f64::max));
    let width = |figure: f64| (figure / least).ln() / (most / least).ln() * (WIDTH - LEFT - RIGHT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<title>{title}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"15\">{title}</text>\n\
         <text x=\"12\" y=\"42\" fill=\"#666\">The axis is logarithmic.</text>\n"
    );
    let mut y = 54.0 - ROW;
    for row in rows {
        y += ROW;
        let (light, dark) = if row.is_ours { ("#9cf", "#06c") } else { ("#ddd", "#888") };
        writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{}</text>\n\
             <rect x=\"{LEFT}\" y=\"{y:.0}\" width=\"{:.1}\" height=\"24\" fill=\"{light}\"/>\n\
             <rect x=\"{LEFT}\" y=\"{:.0}\" width=\"{:.1}\" height=\"10\" fill=\"{dark}\"/>\n\
             <text x=\"{:.1}\" y=\"{:.0}\">{:.0} / {:.0}</text>",
            LEFT - 10.0,
            y + 17.0,
            row.label,
            width(row.long),
            y + 7.0,
            width(row.short),
            LEFT + width(row.long.max(row.short)) + 8.0,
            y + 17.0,
            row.long,
            row.short,
        )
        .expect("writing to a String cannot fail");
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_draws_longer_bars_for_larger_figures() {
        let bar = |label: &str, long, short| Bar { label: label.to_owned(), long, short, is_ours: true };
        let svg = bars("a title", &[bar("one", 10.0, 5.0), bar("two", 100.0, 50.0)]);
        let widths: Vec<f64> = svg
            .lines()
            .filter(|line| line.contains("height=\"24\""))
            .map(|line| {
                let after = line.split("width=\"").nth(1).expect("a width");
                after.split('"').next().expect("a number").parse().expect("a number")
            })
            .collect();
        assert!(widths.len() == 2 && widths[0] < widths[1], "{svg}");
        assert!(svg.contains("10 / 5") && svg.contains("100 / 50"), "{svg}");
    }
}
