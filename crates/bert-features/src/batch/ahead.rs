//! Work that a thread of its own does ahead of the one that needs it.

use std::io;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Builder, Scope};

/// Items that wait to be fetched.
const AHEAD: usize = 2;

/// Makes items on a thread of its own, a few before they are taken. The thread ends with the items, or
/// when the receiver is dropped.
///
/// # Errors
/// When the thread cannot be started, for want of memory or of threads.
pub fn ahead<'scope, T, I>(scope: &'scope Scope<'scope, '_>, items: I) -> io::Result<Receiver<T>>
where
    T: Send + 'scope,
    I: Iterator<Item = T> + Send + 'scope,
{
    let (sender, receiver) = sync_channel(AHEAD);
    Builder::new().spawn_scoped(scope, move || {
        for item in items {
            if sender.send(item).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_in_their_order() {
        let all = std::thread::scope(|scope| -> Vec<u32> {
            ahead(scope, 0..1000).unwrap().iter().collect()
        });
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn a_receiver_that_is_dropped_ends_the_thread() {
        std::thread::scope(|scope| {
            let items = ahead(scope, 0_u64..).unwrap();
            assert_eq!(items.recv(), Ok(0));
        });
    }

    #[test]
    fn only_a_few_items_are_made_ahead() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let made = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let items = ahead(
                scope,
                (0..100).inspect(|_| _ = made.fetch_add(1, Ordering::SeqCst)),
            )
            .unwrap();
            assert_eq!(items.recv(), Ok(0));
            assert_eq!(items.recv(), Ok(1));
            std::thread::sleep(std::time::Duration::from_millis(50));
            // Two were taken, two wait, and the thread holds one.
            assert!(made.load(Ordering::SeqCst) <= 2 + AHEAD + 1);
        });
    }
}
