//! Room on a card, in bytes of JSON, and who gets how much of it. Pure.

/// How long a clean text is in JSON, without its quotation marks.
pub(super) fn json_bytes(clean: &str) -> usize {
    clean.len() + clean.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n')).count()
}

/// Divides `room` among those who need so much each: whoever needs less than an equal share gets all of it, and what is
/// left is shared among the others. So the small ones are complete, and only the largest are cut.
pub(super) fn fair_shares(needs: &[usize], room: usize) -> Vec<usize> {
    let mut smallest_first: Vec<_> = (0..needs.len()).collect();
    smallest_first.sort_by_key(|index| needs[*index]);
    let mut shares = vec![0; needs.len()];
    let mut left = room;
    for (served, index) in smallest_first.into_iter().enumerate() {
        shares[index] = needs[index].min(left / (needs.len() - served));
        left -= shares[index];
    }
    shares
}

/// What one entry of a card gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RoomGrant {
    /// Which of its forms.
    pub(super) level: usize,
    /// How many bytes of names.
    pub(super) names: usize,
}

/// What one entry may take before the names of the others, as a divisor of the room.
const WORST_SHARE: usize = 8;
/// What the shortest forms may take of the room where the names do not all fit, as a divisor.
const FORMS_SHARE: usize = 2;

/// Divides the room among entries, the most important first: each its shortest form, as long as that leaves room for
/// names; the first one something of its words; then all their names, by fair shares; and what is left makes them wordier,
/// one step each before a second of any. Nothing is given to entries for which there is no room.
///
/// `forms` says how long each entry is, from its shortest form to its wordiest; `names` how long the names of all its
/// alerts are, which come on top of that. To know that takes long, so only entries are asked for which it matters.
pub(super) fn allot(
    forms: &[Vec<usize>],
    names: impl Fn(usize) -> usize,
    room: usize,
) -> Vec<Option<RoomGrant>> {
    let shortest = |levels: &Vec<usize>| levels.first().copied().unwrap_or(0);
    let beside_forms = room.checked_sub(forms.iter().map(shortest).sum());
    let is_all_named = beside_forms.is_some_and(|left| {
        (0..forms.len()).try_fold(left, |left, index| left.checked_sub(names(index))).is_some()
    });
    let for_forms = if is_all_named { room } else { room / FORMS_SHARE };
    let mut left = room;
    let mut admitted = 0;
    for levels in forms {
        let taken = room - left + shortest(levels);
        // The first one may need all of it.
        if taken > room || (admitted > 0 && taken > for_forms) {
            break;
        }
        left -= shortest(levels);
        admitted += 1;
    }
    let mut grants = vec![RoomGrant { level: 0, names: 0 }; admitted];
    if let (Some(grant), Some(levels)) = (grants.first_mut(), forms.first()) {
        widen(grant, levels, &mut left, room / WORST_SHARE);
    }
    let needs: Vec<_> = (0..admitted).map(names).collect();
    for (grant, share) in grants.iter_mut().zip(fair_shares(&needs, left)) {
        grant.names = share;
        left -= share;
    }
    let most_levels = forms.iter().map(Vec::len).max().unwrap_or(0);
    for level in 1..most_levels {
        for (grant, levels) in grants.iter_mut().zip(forms) {
            if grant.level + 1 == level {
                let step = left;
                widen_once(grant, levels, &mut left, step);
            }
        }
    }
    let missing = forms.len() - admitted;
    grants.into_iter().map(Some).chain(std::iter::repeat_n(None, missing)).collect()
}

/// The wordiest form that takes at most so much more.
fn widen(grant: &mut RoomGrant, levels: &[usize], left: &mut usize, bytes_max: usize) {
    let before = *left;
    while widen_once(grant, levels, left, bytes_max.saturating_sub(before - *left)) {}
}

fn widen_once(grant: &mut RoomGrant, levels: &[usize], left: &mut usize, bytes_max: usize) -> bool {
    let Some(next) = levels.get(grant.level + 1) else { return false };
    let more = next.saturating_sub(levels[grant.level]);
    if more > bytes_max.min(*left) {
        return false;
    }
    *left -= more;
    grant.level += 1;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_needs_little_gets_it_and_the_largest_share_the_rest() {
        assert_eq!(fair_shares(&[1_000, 10, 400, 20], 500), [235, 10, 235, 20]);
        assert_eq!(fair_shares(&[10, 20], 100), [10, 20]);
        assert_eq!(fair_shares(&[10, 20], 0), [0, 0]);
        assert_eq!(fair_shares(&[], 100), [0_usize; 0]);
    }

    /// What one entry could take.
    struct RoomRequest {
        levels: Vec<usize>,
        names: usize,
    }

    fn request(levels: &[usize], names: usize) -> RoomRequest {
        RoomRequest { levels: levels.to_vec(), names }
    }

    /// The level and the bytes of names of each that is given anything.
    fn granted(requests: &[RoomRequest], room: usize) -> Vec<[usize; 2]> {
        let forms: Vec<_> = requests.iter().map(|request| request.levels.clone()).collect();
        let grants = allot(&forms, |index| requests[index].names, room);
        assert_eq!(grants.len(), requests.len());
        grants.into_iter().flatten().map(|grant| [grant.level, grant.names]).collect()
    }

    #[test]
    fn everything_is_at_its_wordiest_where_there_is_room() {
        let requests = [request(&[10, 20, 30], 100), request(&[10, 50], 0)];
        assert_eq!(granted(&requests, 1_000), [[2, 100], [1, 0]]);
    }

    #[test]
    fn names_come_before_words_but_for_those_of_the_first() {
        let requests = [request(&[10, 20, 300], 500), request(&[10, 60], 200)];
        assert_eq!(granted(&requests, 731), [[1, 500], [0, 200]]);
        assert_eq!(granted(&requests, 430), [[1, 200], [0, 200]]);
    }

    #[test]
    fn where_there_is_no_room_for_all_the_last_get_none() {
        let requests = [request(&[40], 400), request(&[40], 400), request(&[40], 400)];
        assert_eq!(granted(&requests, 200), [[0, 60], [0, 60]]);
        assert_eq!(granted(&requests, 40), [[0, 0]]);
        assert_eq!(granted(&requests, 39), [[0_usize; 2]; 0]);
    }

    #[test]
    fn a_text_is_as_long_as_it_is_written_in_json() {
        for text in ["", "web-1", "C:\\x \"y\"\nz", "字×"] {
            assert_eq!(json_bytes(text) + 2, serde_json::to_string(text).unwrap().len());
        }
    }
}
