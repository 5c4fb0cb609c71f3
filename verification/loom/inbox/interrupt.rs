//! An interrupt handler on the owner's own CPU, in the middle of whatever the owner does.
//!
//! It is a thread to loom, which may run at any point between two of the owner's accesses: each such point is an
//! interrupt's. Loom also lets it stall halfway, which an interrupt cannot, and another CPU's pusher can.

use super::{Item, assert_complete, model, owner, producer};
use loom::sync::Arc;
use loom::thread;
use mpsc_inbox::{Batch, Inbox, Pushed};

/// The handler pushes one item and then a batch of one, while the owner goes on with what is left of two items, and arms.
/// Everything comes out once and in order, and the owner that may halt has been told.
#[test]
fn an_interrupt_in_mid_drain_loses_nothing() {
    model(|| {
        let inbox = Arc::new(Inbox::<Item>::new());
        (0..2).for_each(|number| assert!(inbox.push(Item::new(1, number)).is_ok()));
        let mut items: Vec<_> = inbox.take_owner().expect("it is new").drain(2).collect();
        assert_eq!(items.len(), 1, "one is put in order, the other handed out");
        let handler = {
            let inbox = inbox.clone();
            thread::spawn(move || {
                let first = inbox.push(Item::new(2, 0));
                let mut batch = Batch::new();
                batch.push(Item::new(2, 1));
                let then = inbox.push_batch(batch);
                usize::from(matches!(first, Ok(Pushed::KickOwed)))
                    + usize::from(matches!(then, Ok(Pushed::KickOwed)))
            })
        };
        owner(move || {
            let mut owner = inbox.take_owner().expect("the last one is gone");
            items.extend(owner.drain(2));
            let beside = items.len() - 2;
            let armed = owner.arm().is_ok();
            let kicks = handler.join().unwrap();
            assert_eq!(
                kicks,
                usize::from(armed && items.len() < 4),
                "told of what it has not seen"
            );
            items.extend(owner.take_all());
            assert_complete(&items, [2, 2]);
            beside == 1 && armed
        })
    });
}

/// An interrupt that interrupted a push on its own CPU pushes to the same inbox, beside the owner on another CPU: the push
/// that was interrupted tries again, and nobody waits for anybody.
#[test]
fn an_interrupt_in_mid_push_is_one_more_pusher() {
    model(|| {
        let inbox = Arc::new(Inbox::<Item>::new());
        let interrupted = producer(&inbox, 1, 1);
        let handler = producer(&inbox, 2, 1);
        owner(move || {
            let mut owner = inbox.take_owner().expect("it is new");
            let mut items: Vec<Box<Item>> = owner.drain_lifo(1).collect();
            let beside = items.len();
            interrupted.join().unwrap();
            handler.join().unwrap();
            items.extend(owner.drain_lifo(usize::MAX));
            assert_complete(&items, [1, 1]);
            beside == 1
        })
    });
}
