-- What replays came to, by the words of today: told -> delivered, told_since -> delivered_since,
-- dead_again -> dead_lettered_again. A worker of the version before may write the old ones afterwards: readers take both.
UPDATE larkfire_dead_letters SET outcome = 'delivered' WHERE outcome = 'told';
UPDATE larkfire_dead_letters SET outcome = 'delivered_since' WHERE outcome = 'told_since';
UPDATE larkfire_dead_letters SET outcome = 'dead_lettered_again' WHERE outcome = 'dead_again';
