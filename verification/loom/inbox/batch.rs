//! Many items by one compare-and-swap, beside pushes, drains and a close.

use super::{Item, assert_complete, model, owner, producer};
use loom::sync::Arc;
use loom::thread;
use mpsc_inbox::{Batch, Closed, Inbox, List, Pushed};

fn batch_of_two() -> Batch<Item> {
    let mut batch = Batch::new();
    (0..2).for_each(|number| batch.push(Item::new(1, number)));
    batch
}

/// A batch of two and a single push beside an owner that drains a little, once by the oldest and once by the newest. The
/// batch comes out whole: nothing stands between its two.
#[test]
fn a_batch_goes_in_whole_and_in_order() {
    model(|| {
        let inbox = Arc::new(Inbox::<Item>::new());
        let pusher = {
            let inbox = inbox.clone();
            thread::spawn(move || assert!(inbox.push_batch(batch_of_two()).is_ok()))
        };
        let producer = producer(&inbox, 2, 1);
        owner(move || {
            let mut owner = inbox.take_owner().expect("it is new");
            let mut items: Vec<_> =
                owner.drain(2).inspect(|item| assert!(item.name().0 > 0)).collect();
            let beside = items.len();
            pusher.join().unwrap();
            assert_eq!(producer.join().unwrap(), 0, "nobody armed it");
            items.extend(owner.take_all());
            assert_complete(&items, [2, 1]);
            assert_ne!(items[1].producer, 2, "nothing stands between the two of a batch");
            (1..3).contains(&beside)
        })
    });
}

/// A batch beside an owner that has armed, and another pusher: who replaces ARMED owes the kick, batch or not.
#[test]
fn a_batch_owes_the_kick_as_one_item_would() {
    model(|| {
        let inbox = Arc::new(Inbox::<Item>::new());
        let pusher = {
            let inbox = inbox.clone();
            thread::spawn(move || matches!(inbox.push_batch(batch_of_two()), Ok(Pushed::KickOwed)))
        };
        let producer = producer(&inbox, 2, 1);
        owner(move || {
            let mut owner = inbox.take_owner().expect("it is new");
            let armed = owner.arm().is_ok();
            let by_batch = pusher.join().unwrap();
            let kicks = usize::from(by_batch) + producer.join().unwrap();
            assert_eq!(kicks, usize::from(armed), "one kick for one arming");
            let items: Vec<_> = owner.drain_lifo(usize::MAX).collect();
            assert_eq!(items.len(), 3);
            assert!(items.iter().all(|item| item.name().0 > 0));
            by_batch
        })
    });
}

/// A batch and a single push beside an owner that closes: the batch goes in whole or comes back whole.
#[test]
fn a_refused_batch_comes_back_whole() {
    model(|| {
        let inbox = Arc::new(Inbox::<Item>::new());
        let pusher = {
            let inbox = inbox.clone();
            thread::spawn(move || match inbox.push_batch(batch_of_two()) {
                Ok(_) => Vec::new(),
                Err(Closed(batch)) => List::from(batch).into_iter().collect(),
            })
        };
        let producer = {
            let inbox = inbox.clone();
            thread::spawn(move || inbox.push(Item::new(2, 0)).err().map(|Closed(item)| item))
        };
        owner(move || {
            let mut owner = inbox.take_owner().expect("it is new");
            let mut items: Vec<Box<Item>> = owner.close().into_iter().collect();
            let refused = pusher.join().unwrap();
            let some_refused = refused.len() == 2 && !items.is_empty();
            assert!(refused.is_empty() || refused.len() == 2, "all of it or nothing");
            items.extend(refused);
            items.extend(producer.join().unwrap());
            assert_complete(&items, [2, 1]);
            some_refused
        })
    });
}
