//! A picture in memory, and how it becomes smaller.
//!
//! Law: each new pixel is the mean of what it covers, with the part it covers as its weight: no
//! pixel of the old picture is left out, so that nothing flickers.

/// Samples row by row, the channels of a pixel together.
pub(super) struct Raster {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) channels: usize,
    pub(super) samples: Vec<u8>,
}

impl Raster {
    pub(super) fn pixels(&self) -> u64 {
        u64::try_from(self.width * self.height).unwrap_or(u64::MAX)
    }

    /// Shrinks to at most so many pixels; as it is if it has no more.
    pub(super) fn shrink_to(&mut self, pixels: u64) {
        if self.pixels() <= pixels {
            return;
        }
        #[allow(clippy::cast_precision_loss)] // far below 2^52
        let factor = (pixels as f64 / self.pixels() as f64).sqrt();
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss
        )]
        let shorter = |side: usize| ((side as f64 * factor) as usize).max(1);
        *self = self.shrunk(shorter(self.width), shorter(self.height));
    }

    fn shrunk(&self, width: usize, height: usize) -> Raster {
        let stride = self.width * self.channels;
        let columns = covered(self.width, width);
        let mut samples = Vec::with_capacity(width * height * self.channels);
        let mut line = vec![0.0; stride];
        for rows in covered(self.height, height) {
            line.fill(0.0);
            for (row, weight) in rows {
                let row = &self.samples[row * stride..(row + 1) * stride];
                for (sum, &sample) in line.iter_mut().zip(row) {
                    *sum += weight * f32::from(sample);
                }
            }
            for columns in &columns {
                for channel in 0..self.channels {
                    let sample =
                        |&(x, weight): &(usize, f32)| weight * line[x * self.channels + channel];
                    let mean: f32 = columns.iter().map(sample).sum();
                    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 255
                    samples.push((mean + 0.5) as u8);
                }
            }
        }
        Raster { width, height, channels: self.channels, samples }
    }
}

/// For each of `new` places on a side what of `old` places it covers, with weights that make one.
fn covered(old: usize, new: usize) -> Vec<Vec<(usize, f32)>> {
    // Measured in pieces of which a new place has `old` and an old place has `new`.
    let places = (0..new).map(|place| {
        let (from, to) = (place * old, (place + 1) * old);
        let covered = (from / new..to.div_ceil(new)).map(|at| {
            let piece = to.min((at + 1) * new) - from.max(at * new);
            #[allow(clippy::cast_precision_loss)] // below 2^24 for sides of pictures
            (at, piece as f32 / old as f32)
        });
        covered.collect()
    });
    places.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_covered_makes_one() {
        for (old, new) in [(5, 3), (8, 1), (7, 7), (3648, 1175)] {
            let covered = covered(old, new);
            assert_eq!(covered.len(), new);
            for place in &covered {
                let sum: f32 = place.iter().map(|(_, weight)| weight).sum();
                assert!((sum - 1.0).abs() < 1e-4, "{old} to {new}: {place:?}");
            }
        }
        assert_eq!(
            covered(3, 2),
            [[(0, 2.0 / 3.0), (1, 1.0 / 3.0)], [(1, 1.0 / 3.0), (2, 2.0 / 3.0)]]
        );
    }

    #[test]
    fn means_are_means() {
        let samples = vec![0, 100, 200, 100, 50, 50];
        let raster = Raster { width: 3, height: 2, channels: 1, samples };
        let small = raster.shrunk(1, 1);
        assert_eq!(small.samples, [83]);
    }
}
