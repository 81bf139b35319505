"""What leaves: who is told of what, by which way, and how often is that tried?

Everything is derived from what is recorded, beside the daemon's turns, so that neither a slow chat nor a forge that
does not answer holds up a deployment.

    facts            which facts of the ledger are worth telling, and in which fields
    freezing_soon    what the clock brings: freezes that begin
    ahead            scheduled changes, before they come, and when they are called off
    deriving         facts become notices, up to a position, in one transaction
    wording          how a notice reads; `gathering` puts several into one message
    sending          one message on its way; `by_apprise`, `by_cdevents`, `to_forge` and `by_notes` carry it
    notifying        the threads

The engine does not know this room.
"""
