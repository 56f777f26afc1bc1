//! Numbers out of `/metrics`. Pure.

/// The sum of all series of a metric that have this label; of all of them where it is empty.
pub(crate) fn sum(metrics: &str, name: &str, label: &str) -> f64 {
    metrics
        .lines()
        .filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let (labels, value) = match rest.strip_prefix('{') {
                Some(rest) => rest.split_once("} ")?,
                None => ("", rest.strip_prefix(' ')?),
            };
            labels.contains(label).then_some(())?;
            value.trim().parse::<f64>().ok()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_one_metric_are_added_and_of_another_with_a_longer_name_are_not() {
        let metrics = "# HELP a b\na{x=\"1\"} 2\na{x=\"2\"} 3.5\na_more 7\nb 1\n";
        assert!((sum(metrics, "a", "") - 5.5).abs() < 1e-9);
        assert!((sum(metrics, "a", "x=\"2\"") - 3.5).abs() < 1e-9);
        assert!((sum(metrics, "b", "") - 1.0).abs() < 1e-9);
        assert!(sum(metrics, "c", "").abs() < 1e-9);
    }
}
