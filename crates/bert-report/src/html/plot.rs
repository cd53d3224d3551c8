//! Curves and points as SVG.
//!
//! Colours and dashes are the style sheet's: it finds a line by the colour that it is drawn with here. The SVG holds no
//! text but axis labels of ours; what a legend says is markup.

use maud::{Markup, PreEscaped, html};
use plotters::{
    chart::ChartBuilder,
    drawing::{DrawingAreaErrorKind, IntoDrawingArea},
    element::{Circle, PathElement},
    prelude::SVGBackend,
    style::{Color, FontFamily, FontStyle, IntoFont, RGBColor, ShapeStyle, TextStyle},
};

use super::axes::{Axes, Axis, Extent};
use super::text::{Clean, short, text};

const SIZE: (u32, u32) = (960, 440);
const TEXT_SIZE: f64 = 27.0;
/// The size of the text on a narrow screen, as in `style.css`: labels have room for it.
const LARGEST_TEXT: f64 = 28.0;
/// The width of a digit, in the text's size; few fonts' digits are wider.
const DIGIT_WIDTH: f64 = 0.62;
/// What is between labels, and between them and the lines.
const GAP: f64 = 18.0;
/// The room to the right of the axes, for half of the last label.
const RIGHT: u32 = 48;
const MARGIN: u32 = 8;
const TEXT: RGBColor = RGBColor(0x5A, 0x64, 0x70);
const AXIS: RGBColor = RGBColor(0x9A, 0xA4, 0xB0);
const GRID: RGBColor = RGBColor(0xE2, 0xE6, 0xEB);
/// Points are marked where a line has few of them.
const MARKED: usize = 40;

/// How many curves of one plot can be told apart.
pub(super) const MOST_CURVES: usize = 12;

/// Each curve's colour, as in `style.css`.
const COLOURS: [RGBColor; MOST_CURVES] = [
    RGBColor(0x1F, 0x5F, 0xA8),
    RGBColor(0xC2, 0x4E, 0x00),
    RGBColor(0x1B, 0x7A, 0x4B),
    RGBColor(0x9B, 0x2D, 0x86),
    RGBColor(0x8A, 0x62, 0x00),
    RGBColor(0x00, 0x76, 0x85),
    RGBColor(0xB3, 0x26, 0x3B),
    RGBColor(0x56, 0x48, 0xB8),
    RGBColor(0x4C, 0x6B, 0x12),
    RGBColor(0x7A, 0x4A, 0x2B),
    RGBColor(0x3D, 0x4A, 0x5C),
    RGBColor(0xA8, 0x3A, 0x6E),
];

/// One line of a plot.
pub(super) struct Curve {
    /// What the legend says.
    pub(super) name: String,
    /// What of the plot it belongs to: its colour and dashes.
    pub(super) group: usize,
    /// Drawn lightly, behind a smoothed one of its group.
    pub(super) faint: bool,
    pub(super) points: Vec<(f64, f64)>,
}

/// Curves over the same axes.
pub(super) struct Plot {
    /// What is above it.
    pub(super) title: &'static str,
    /// The axes with their units.
    pub(super) x: &'static str,
    pub(super) y: &'static str,
    pub(super) curves: Vec<Curve>,
    /// Points alone, and the line on which both numbers are the same.
    pub(super) scatter: bool,
    /// What is below it.
    pub(super) note: Option<String>,
}

impl Plot {
    /// The plot with its legend; nothing where there is nothing to draw.
    pub(super) fn render(&self) -> Markup {
        let drawn: Vec<(f64, f64)> = self
            .curves
            .iter()
            .flat_map(|curve| curve.points.iter().copied().filter(is_drawable))
            .collect();
        let Some(axes) = Axes::around(&drawn, self.scatter) else {
            return html! {};
        };
        let mut svg = String::new();
        if self.draw(&axes, &mut svg).is_err() {
            return html! { p.note { (self.title) ": the plot cannot be drawn" } };
        }
        // plotters' own opening tag has a fixed size and no name.
        let inner = svg.split_once(">\n").map_or("", |(_, inner)| inner);
        let inner = inner
            .rsplit_once("</svg>")
            .map_or(inner, |(inner, _)| inner);
        let steps = Extent::of(drawn.iter().map(|point| point.0));
        let values = Extent::of(drawn.iter().map(|point| point.1));
        html! {
            figure.plot {
                figcaption { (self.title) }
                svg role="img" viewBox={"0 0 " (SIZE.0) " " (SIZE.1)} xmlns="http://www.w3.org/2000/svg" {
                    title { (self.title) }
                    desc {
                        (self.y) " from " (short(values.low)) " to " (short(values.high)) ", "
                        (self.x) " from " (short(steps.low)) " to " (short(steps.high)) ": "
                        @for (index, curve) in self.curves.iter().enumerate() {
                            @if index > 0 { ", " }
                            (Clean(&curve.name))
                        }
                    }
                    (PreEscaped(inner))
                }
                @if self.needs_legend() { (self.legend()) }
                @if let Some(note) = &self.note { p.note { (note) } }
            }
        }
    }

    /// Whether the title does not already say what is drawn.
    fn needs_legend(&self) -> bool {
        let is_named = |curve: &Curve| curve.name != self.title.to_lowercase();
        !self.scatter && (self.curves.len() > 1 || self.curves.iter().any(is_named))
    }

    fn legend(&self) -> Markup {
        html! {
            ul.legend {
                @for curve in &self.curves {
                    li {
                        svg.swatch viewBox="0 0 36 10" aria-hidden="true" {
                            line x1="1" y1="5" x2="35" y2="5" stroke-width="3"
                                stroke=(hex(colour(curve.group))) opacity=(if curve.faint { "0.45" } else { "1" }) {}
                        }
                        (text(&curve.name))
                    }
                }
            }
        }
    }

    fn draw<'a>(
        &self,
        axes: &Axes,
        svg: &'a mut String,
    ) -> Result<
        (),
        DrawingAreaErrorKind<<SVGBackend<'a> as plotters::prelude::DrawingBackend>::ErrorType>,
    > {
        let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let label = || {
            TextStyle::from((FontFamily::SansSerif, TEXT_SIZE, FontStyle::Normal).into_font())
                .color(&TEXT)
        };
        let (x, y) = (&axes.x, &axes.y);
        let y_area = y_label_area(y);
        let x_width = f64::from(SIZE.0 - MARGIN - RIGHT - y_area);
        let mut chart = ChartBuilder::on(&area)
            .margin(MARGIN)
            .margin_right(RIGHT)
            .x_label_area_size(72)
            .y_label_area_size(y_area)
            .build_cartesian_2d(x.low..x.high, y.low..y.high)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(GRID.mix(0.0))
            .bold_line_style(ShapeStyle::from(GRID).stroke_width(2))
            .axis_style(ShapeStyle::from(AXIS).stroke_width(2))
            .label_style(label())
            .axis_desc_style(label())
            .x_labels(self.x_label_count(x, x_width))
            .y_labels(Y_LABELS)
            .x_desc(self.x)
            .y_desc(self.y)
            .x_label_formatter(&|value| self.x_label(x, *value))
            .y_label_formatter(&|value| short(y.unscaled(*value)))
            .draw()?;
        let place = |point: &(f64, f64)| (x.scaled(point.0), y.scaled(point.1));
        if self.scatter {
            let low = (x.low * x.scale).max(y.low * y.scale);
            let high = (x.high * x.scale).min(y.high * y.scale);
            if low < high && high.is_finite() {
                let ends = vec![place(&(low, low)), place(&(high, high))];
                let line = ShapeStyle::from(AXIS).stroke_width(2);
                chart.draw_series([PathElement::new(ends, line)])?;
            }
        }
        for curve in &self.curves {
            let opacity = if curve.faint { 0.45 } else { 1.0 };
            let style = ShapeStyle::from(colour(curve.group).mix(opacity));
            let line = style.stroke_width(if curve.faint { 2 } else { 4 });
            let few = curve.points.len() <= MARKED && !curve.faint;
            for run in curve.points.split(|point| !is_drawable(point)) {
                if !self.scatter && run.len() > 1 {
                    let points: Vec<_> = run.iter().map(place).collect();
                    chart.draw_series([PathElement::new(points, line)])?;
                }
                // A value between gaps has no line to be on.
                if self.scatter || few || run.len() == 1 {
                    let marker = colour(curve.group).mix(if self.scatter { 0.5 } else { opacity });
                    let marks = run
                        .iter()
                        .map(|point| Circle::new(place(point), 5, marker.filled()));
                    chart.draw_series(marks)?;
                }
            }
        }
        drop(chart);
        area.present()
    }
}

/// How many labels the axes have at most.
const X_LABELS: usize = 7;
const Y_LABELS: usize = 6;

impl Plot {
    fn x_label(&self, axis: &Axis, value: f64) -> String {
        // There is no half a step.
        if self.scatter || axis.is_whole(value) {
            short(axis.unscaled(value))
        } else {
            String::new()
        }
    }

    /// As many labels as stand side by side in this width.
    fn x_label_count(&self, axis: &Axis, width: f64) -> usize {
        let fits = |count: &usize| {
            let places = axis.places(*count);
            let widest = places
                .iter()
                .map(|value| text_width(&self.x_label(axis, *value)))
                .fold(0.0, f64::max);
            let steps = places.windows(2).map(|pair| pair[1] - pair[0]);
            let step = steps.fold(f64::INFINITY, f64::min) / (axis.high - axis.low);
            step * width >= widest + GAP
        };
        (2..=X_LABELS).rev().find(fits).unwrap_or(1)
    }
}

/// The room to the left of the axes: the labels, and what they are of beside them.
fn y_label_area(axis: &Axis) -> u32 {
    let labels = axis.places(Y_LABELS).into_iter();
    let widest = labels
        .map(|value| text_width(&short(axis.unscaled(value))))
        .fold(0.0, f64::max);
    (LARGEST_TEXT + GAP + widest + GAP).ceil() as u32
}

/// About how wide a text is in the largest size.
fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * DIGIT_WIDTH * LARGEST_TEXT
}

fn colour(group: usize) -> RGBColor {
    COLOURS[group % MOST_CURVES]
}

fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

fn is_drawable(point: &(f64, f64)) -> bool {
    point.0.is_finite() && point.1.is_finite()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plot(points: Vec<(f64, f64)>, scatter: bool) -> String {
        let name = "a".to_owned();
        let curve = Curve {
            name,
            group: 0,
            faint: false,
            points,
        };
        let plot = Plot {
            title: "t",
            x: "step",
            y: "loss (nats)",
            curves: vec![curve],
            scatter,
            note: None,
        };
        plot.render().into_string()
    }

    #[test]
    fn no_value_breaks_a_plot() {
        let odd = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            5e-324,
            1e-300,
            f64::MAX,
            f64::MIN,
            f64::NAN,
            f64::INFINITY,
            1e16,
            1e16 + 2.0,
        ];
        for first in odd {
            for second in odd {
                for scatter in [false, true] {
                    let html = plot(vec![(1.0, first), (2.0, second)], scatter);
                    let is_drawn = first.is_finite() || second.is_finite();
                    assert_eq!(html.contains("<svg"), is_drawn, "{first} {second}");
                    assert!(!html.contains("NaN") && !html.contains("cannot"), "{html}");
                    plot(vec![(first, 1.0), (second, 2.0)], scatter);
                }
            }
        }
        assert_eq!(plot(Vec::new(), false), "");
    }

    #[test]
    fn a_value_that_is_not_finite_is_a_gap() {
        let points = |odd| vec![(1.0, 1.0), (2.0, 2.0), (3.0, odd), (4.0, 1.0), (5.0, 2.0)];
        let line = r##"<polyline fill="none" opacity="1" stroke="#1F5FA8""##;
        let lines = |html: &str| html.matches(line).count();
        assert_eq!(lines(&plot(points(1.5), false)), 1);
        assert_eq!(lines(&plot(points(f64::NAN), false)), 2);
    }

    #[test]
    fn axes_have_their_units_and_the_style_sheet_knows_every_colour() {
        let html = plot(vec![(1.0, 0.5), (100.0, 2.0)], false);
        assert!(
            html.contains(">\nloss (nats)\n<") || html.contains("loss (nats)\n</text>"),
            "{html}"
        );
        assert!(
            html.contains("<desc>loss (nats) from 0.5 to 2, step from 1 to 100: a</desc>"),
            "{html}"
        );
        let style = include_str!("style.css");
        for colour in COLOURS.into_iter().chain([TEXT, AXIS, GRID]) {
            assert!(
                style.contains(&format!("\"{}\"", hex(colour))),
                "{}",
                hex(colour)
            );
        }
    }

    /// Where a text of the SVG is, at the largest size: left and right for one that is not turned.
    struct Placed {
        x: f64,
        y: f64,
        anchor: String,
        text: String,
    }

    fn texts(html: &str) -> Vec<Placed> {
        let attribute = |tag: &str, name: &str| {
            let (_, rest) = tag.split_once(&format!(" {name}=\"")).unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        let texts = html.split("<text ").skip(1);
        let texts = texts.filter(|text| !text.contains("rotate"));
        texts
            .map(|text| {
                let (tag, rest) = text.split_once('>').unwrap();
                let tag = format!(" {tag}");
                Placed {
                    x: attribute(&tag, "x").parse().unwrap(),
                    y: attribute(&tag, "y").parse().unwrap(),
                    anchor: attribute(&tag, "text-anchor"),
                    text: rest.split('<').next().unwrap().trim().to_owned(),
                }
            })
            .collect()
    }

    #[test]
    fn labels_have_room_in_the_largest_size() {
        let ends = [
            (1.0, 2.0),
            (1.0, 40.0),
            (0.0, 12_345.0),
            (100.0, 987_654.0),
            (1.0, 123_456_789.0),
            (1e-7, 3e-5),
            (0.000_123, 0.000_129),
            (-1234.5, 1234.5),
            (1e300, 1.7e308),
        ];
        for (low, high) in ends {
            for scatter in [false, true] {
                let html = plot(vec![(low, low), (high, high)], scatter);
                let all = texts(&html);
                let mut marks: Vec<&Placed> = all
                    .iter()
                    .filter(|it| it.anchor == "middle" && !it.text.is_empty())
                    .collect();
                // The lowest is what the axis is of.
                let bottom = marks.iter().map(|it| it.y).fold(0.0, f64::max);
                marks.retain(|it| it.y < bottom);
                marks.sort_by(|a, b| a.x.total_cmp(&b.x));
                assert!(marks.len() <= X_LABELS);
                for pair in marks.windows(2) {
                    let width = text_width(&pair[0].text).max(text_width(&pair[1].text));
                    let room = pair[1].x - pair[0].x;
                    assert!(room > width, "{} and {}", pair[0].text, pair[1].text);
                }
                let left = all.iter().filter(|it| it.anchor == "end");
                for label in left {
                    let start = label.x - text_width(&label.text);
                    assert!(
                        start >= LARGEST_TEXT,
                        "{low} {high}: {} at {start}",
                        label.text
                    );
                }
            }
        }
        let style = include_str!("style.css");
        assert!(style.contains(&format!(".plot text{{font-size:{LARGEST_TEXT}px}}")));
    }

    proptest! {
        #[test]
        fn any_numbers_are_drawn_quickly(points in prop::collection::vec((any::<f64>(), any::<f64>()), 0..20)) {
            plot(points.clone(), true);
            plot(points, false);
        }
    }
}
