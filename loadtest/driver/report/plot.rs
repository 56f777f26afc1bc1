//! Curves over time as inline SVG. Pure.

use std::fmt::Write as _;

use super::{number, whole};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 240.0;
/// Room for the labels of the axes.
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 28.0;
const TOP: f64 = 12.0;
const RIGHT: f64 = 14.0;
/// Lines across a plot, about.
const TICKS: f64 = 5.0;
/// The least a logarithmic axis shows: times below are noise of the timer.
const LOG_LEAST: f64 = 0.1;

/// How high values stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// From zero.
    Linear,
    /// Each line across ten times the one below.
    Logarithmic,
}

/// A curve.
#[derive(Debug)]
pub(super) struct Curve<'a> {
    pub(super) name: &'a str,
    /// The class that colours it.
    pub(super) class: &'a str,
    /// Time in seconds, and value.
    pub(super) points: Vec<(f64, f64)>,
}

/// A plot of curves, with the faults behind them.
pub(super) fn plot(curves: &[Curve<'_>], faults: &[(f64, f64)], scale: Scale) -> String {
    let points = || curves.iter().flat_map(|curve| &curve.points).filter(|point| point.1.is_finite());
    let ends = points().map(|point| point.0).chain(faults.iter().map(|fault| fault.1)).fold(1.0, f64::max);
    let most = points().map(|point| point.1).fold(0.0, f64::max);
    let axes = Axes { ends, heights: Heights::of(most, scale) };
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">");
    for (from, to) in faults {
        let x = axes.x(*from);
        let width = (axes.x(*to) - axes.x(*from)).max(2.0);
        let height = HEIGHT - TOP - BOTTOM;
        append(
            &mut svg,
            format_args!(
                "<rect class=\"fault\" x=\"{x:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{height}\"/>"
            ),
        );
    }
    axes.draw(&mut svg);
    for curve in curves {
        let mut path = String::new();
        for (at, value) in curve.points.iter().filter(|point| point.1.is_finite()) {
            append(&mut path, format_args!("{:.1},{:.1} ", axes.x(*at), axes.y(*value)));
        }
        append(
            &mut svg,
            format_args!("<polyline class=\"{}\" points=\"{}\"/>", curve.class, path.trim_end()),
        );
    }
    svg.push_str("</svg>");
    legend(curves, faults) + &svg
}

fn legend(curves: &[Curve<'_>], faults: &[(f64, f64)]) -> String {
    let mut legend = "<p class=\"legend\">".to_owned();
    for curve in curves {
        append(&mut legend, format_args!("<span class=\"{}\">━ {}</span> ", curve.class, curve.name));
    }
    if !faults.is_empty() {
        legend.push_str("<span class=\"fault\">█ fault</span>");
    }
    legend + "</p>"
}

struct Axes {
    /// Seconds at the right end.
    ends: f64,
    heights: Heights,
}

/// The vertical axis: its lines, the lowest and the highest of which are its ends.
struct Heights {
    scale: Scale,
    lines: Vec<f64>,
}

impl Heights {
    fn of(most: f64, scale: Scale) -> Self {
        let lines = match scale {
            Scale::Linear => {
                let most = most.max(TICKS);
                let step = step(most / TICKS);
                let count = (most / step).ceil();
                upwards(count).map(|index| index * step).collect()
            }
            Scale::Logarithmic => {
                let decades = (most.max(1.0) / LOG_LEAST).log10().ceil();
                upwards(decades).map(|index| LOG_LEAST * 10_f64.powf(index)).collect()
            }
        };
        Self { scale, lines }
    }

    /// From 0 at the bottom to 1 at the top.
    fn share(&self, value: f64) -> f64 {
        let (Some(low), Some(high)) = (self.lines.first(), self.lines.last()) else { return 0.0 };
        match self.scale {
            Scale::Linear => (value - low) / (high - low),
            Scale::Logarithmic => (value.max(LOG_LEAST) / low).ln() / (high / low).ln(),
        }
    }
}

impl Axes {
    fn x(&self, seconds: f64) -> f64 {
        LEFT + seconds / self.ends * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.heights.share(value) * (HEIGHT - TOP - BOTTOM)
    }

    fn draw(&self, svg: &mut String) {
        let left = LEFT;
        let right = WIDTH - RIGHT;
        let bottom = HEIGHT - BOTTOM;
        for value in &self.heights.lines {
            let y = self.y(*value);
            append(
                svg,
                format_args!(
                    "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
                ),
            );
            let label = if value.fract() == 0.0 { whole(*value) } else { number(*value) };
            append(
                svg,
                format_args!(
                    "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                    left - 8.0,
                    y + 4.0
                ),
            );
        }
        let step = step(self.ends / 10.0);
        for index in upwards((self.ends / step).floor()) {
            let at = index * step;
            let y = bottom + 18.0;
            let x = self.x(at);
            append(svg, format_args!("<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{at} s</text>"));
        }
    }
}

/// A round number that is at least this.
fn step(least: f64) -> f64 {
    let decade = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|digit| digit * decade).into_iter().find(|step| *step >= least).unwrap_or(least)
}

/// 0, 1, 2, …, `last`.
fn upwards(last: f64) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(0.0), |index| Some(index + 1.0)).take_while(move |index| *index <= last)
}

/// Writing to a string cannot fail.
fn append(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _infallible = text.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(f64, f64)]) -> [Curve<'static>; 1] {
        [Curve { name: "p50", class: "a", points: points.to_vec() }]
    }

    #[test]
    fn the_highest_value_is_inside_the_plot_and_zero_at_its_bottom() {
        let svg = plot(&curve(&[(0.0, 0.0), (10.0, 42.0)]), &[], Scale::Linear);
        assert!(svg.contains("points=\"70.0,212.0 846.0,"), "{svg}");
        assert!(svg.contains(">50</text>") && svg.contains(">10 s</text>"), "{svg}");
    }

    #[test]
    fn a_logarithmic_plot_has_a_line_for_each_decade() {
        let svg = plot(&curve(&[(0.0, 0.5), (4.0, 250.0)]), &[(1.0, 2.0)], Scale::Logarithmic);
        let lines = svg.matches("class=\"grid\"").count();
        assert_eq!(
            (lines, svg.matches("<rect class=\"fault\"").count()),
            (5, 1),
            "0.1, 1, 10, 100, 1 000: {svg}"
        );
    }

    #[test]
    fn a_plot_of_nothing_is_an_empty_plot() {
        let svg = plot(&curve(&[]), &[], Scale::Linear);
        assert!(svg.contains("points=\"\"") && !svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn steps_are_round_numbers() {
        assert_eq!([0.3, 1.0, 3.7, 60.0].map(|least| step(least).to_string()), ["0.5", "1", "5", "100"]);
    }
}
