/* Ferrule: a model of the way up: a device that seals, sleeps and loses power; a network whose owner
 * keeps every record and delivers any of them at any time, as often as it likes, or forges; a
 * receiver that opens, commits with its database and crashes. Run by scripts/model; the rules are
 * those of docs/WIRE.md, sections record, receiver and image. The store is what store.pml shows it
 * to be: each burn yields a generation above all before, and may lose some. One lane: each has its
 * own key, sequence and windows.
 *
 * Holds: NONCE (no generation and number seals twice), ONCE (a record is stored at most once, and
 * what a snapshot counts as accepted is stored), FIRST (forged records move nothing, and cost a
 * bounded number of chain steps), and current generation and floor never go back. */
#ifndef GENERATIONS
#define GENERATIONS 3
#endif
#ifndef NUMBERS
#define NUMBERS 3 /* sequence numbers of a generation */
#endif
#ifndef CRASHES
#define CRASHES 2 /* of the receiver */
#endif
#define W 2        /* bits of a window */
#define REACH 1
#define NEAR 1     /* generations ahead that a short form may name */
#define SHORT 3    /* short forms tell the generation modulo this */
#define NUMBER 2   /* and the number modulo this */
#define MAX_SKIP 3

#define NONE GENERATIONS
#define RECORDS (GENERATIONS * NUMBERS)
#define place(g, s) ((g)*NUMBERS + (s))

/* The device. */
byte store = 0;        /* the next generation that a burn yields */
byte own = NONE;       /* the open generation, in RAM */
byte next = 0;
byte image = NONE;     /* in retained RAM */
byte image_next = 0;
bool sealed[RECORDS];  /* what the network's owner has */

/* The receiver: in RAM, and as the database has it. */
byte cur = 0, floor_ = 0;
bool marked[RECORDS];
byte ticket = RECORDS; /* opened, not committed */
byte second = RECORDS; /* opened beside it, perhaps the same record again */
byte kept_cur = 0, kept_floor = 0;
bool kept[RECORDS];
bool stored[RECORDS];
bool queued[RECORDS];  /* committed, not yet stored */
byte crashes = CRASHES;

/* Scratch. */
byte g, s, at, i, top, steps, ticket_g;
bool genuine, forged, short_, ok;

/* ---- the device -------------------------------------------------------------------------- */

inline forget()
{
    own = NONE;
    next = 0
}

inline burn()
{
    own = store;
    next = 0;
    store++
}

inline seal()
{
    assert(!sealed[place(own, next)]); /* NONCE */
    sealed[place(own, next)] = true;
#ifdef MUTATE_ROLL_BACK
    if
    :: next++
    :: skip /* the link failed: the number is used for other bytes */
    fi
#else
    next++ /* a failed link resends bytes */
#endif
}

active proctype device()
{
    do
    :: atomic { own == NONE && store < GENERATIONS -> burn() }
    :: atomic { store < GENERATIONS -> store++; forget() } /* a burn that was cut, and reset */
    :: atomic { own != NONE && next < NUMBERS -> seal() }
    :: atomic { own != NONE -> forget() } /* reset */
    :: atomic { own != NONE && image == NONE -> image = own; image_next = next; forget() }
    :: atomic { /* what was in RAM when the image was made is gone, even where power was not */
           own == NONE && image != NONE ->
           if
           :: true /* the image reads as zero now */
              -> ok = true
           :: true /* the memory keeps it */
              -> ok = false
           fi;
#ifdef MUTATE_RESUME_KEEPS_IMAGE
           ok = false;
#endif
           if
#ifdef MUTATE_NO_IMAGE_READ_BACK
           :: image == store - 1 ->
#else
#ifdef MUTATE_RESUME_KEEPS_IMAGE
           :: image == store - 1 ->
#else
           :: ok && image == store - 1 ->
#endif
#endif
              own = image;
              next = image_next
           :: else
           fi;
           if
           :: ok -> image = NONE; image_next = 0
           :: else
           fi;
           ok = false
       }
    od
}

/* ---- the receiver ------------------------------------------------------------------------ */

inline find_top(generation)
{
    top = 0; /* one more than the highest number marked */
    i = 0;
    do
    :: i < NUMBERS ->
       top = (marked[place(generation, i)] -> i + 1 : top);
       i++
    :: else -> i = 0; break
    od
}

/* Steps 2 to 4: from what the header tells to a generation and number, or drop. g and s hold what
 * was sent, and then what it is taken for. */
inline resolve()
{
    ok = true;
    if
    :: short_ ->
       i = ((g % SHORT) + SHORT - (cur % SHORT)) % SHORT;
       if
       :: i <= NEAR -> g = cur + i
       :: i > NEAR && SHORT - i <= cur -> g = cur - (SHORT - i)
       :: else -> ok = false
       fi;
       i = 0
    :: else
    fi;
    ok = ok && g >= floor_ && g < GENERATIONS;
    steps = 0;
    if
    :: ok && !short_ && g > cur ->
#ifndef MUTATE_NO_CLAIM
       ok = ok && genuine;
#endif
       ok = ok && g - cur <= MAX_SKIP
    :: else
    fi;
    if
    :: ok ->
       steps = g - floor_;
       find_top(g);
       if
       :: short_ -> s = ((s % NUMBER) == (top % NUMBER) -> top : (top > 0 -> top - 1 : top + 1))
       :: else
       fi;
       ok = s < NUMBERS;
       ok = ok && !marked[place(g, s)] && s + W >= top;
       top = 0
    :: else
    fi
}

/* Step 6: checked again, for state may have moved since the record was opened. */
inline commit(at)
{
    ticket_g = (at) / NUMBERS;
    find_top(ticket_g);
    if
#ifdef MUTATE_COMMIT_UNCHECKED
    :: true ->
#else
    :: ticket_g >= floor_ && !marked[at] && (at) % NUMBERS + W >= top ->
#endif
       marked[at] = true;
       cur = (ticket_g > cur -> ticket_g : cur);
       floor_ = (cur > REACH && cur - REACH > floor_ -> cur - REACH : floor_);
       queued[at] = true
    :: else
    fi;
    ticket_g = 0;
    top = 0
}

inline select_record()
{
    at = 0;
    do
    :: at < RECORDS - 1 -> at++
    :: break
    od;
    g = at / NUMBERS;
    s = at % NUMBERS;
    at = 0
}

inline arrive()
{
    select_record();
    short_ = false;
    forged = false;
    if
    :: short_ = true
    :: skip
    fi;
    if
    :: forged = true
    :: skip
    fi;
    genuine = sealed[place(g, s)];
    if
    :: !forged && !genuine -> skip /* nothing that was ever sealed */
    :: forged || genuine ->
       i = 0;
       at = place(g, s);
       resolve();
       /* What a claim does not vouch for costs no more than what is near. */
       assert(!ok || !forged || genuine || steps <= REACH + NEAR);
       if
#ifdef MUTATE_MARK_AT_OPEN
       :: ok -> marked[place(g, s)] = true; cur = (g > cur -> g : cur)
#else
       :: ok && !forged && at == place(g, s) && ticket == RECORDS -> /* the tag holds */
          ticket = at
       :: ok && !forged && at == place(g, s) && ticket < RECORDS && second == RECORDS ->
          second = at
#endif
       :: else
       fi
    fi;
    g = 0;
    s = 0;
    at = 0;
    steps = 0;
    ok = false;
    short_ = false;
    forged = false;
    genuine = false
}

/* Nothing that nobody sealed is ever marked (FIRST), and state never goes back. */
inline check()
{
    assert(cur >= kept_cur && floor_ >= kept_floor);
    i = 0;
    do
    :: i < RECORDS -> assert(!marked[i] || sealed[i]); assert(!kept[i] || stored[i]); i++
    :: else -> i = 0; break
    od
}

/* One transaction stores the rows and the snapshot. */
inline store_rows()
{
    i = 0;
    do
    :: i < RECORDS ->
       if
       :: queued[i] -> assert(!stored[i]); stored[i] = true; queued[i] = false /* ONCE */
       :: else
       fi;
       i++
    :: else -> i = 0; break
    od
}

inline save()
{
    kept_cur = cur;
    kept_floor = floor_;
    i = 0;
    do
    :: i < RECORDS -> kept[i] = marked[i]; i++
    :: else -> i = 0; break
    od
}

inline restore()
{
    cur = kept_cur;
    floor_ = kept_floor;
    ticket = RECORDS;
    second = RECORDS;
    i = 0;
    do
    :: i < RECORDS -> marked[i] = kept[i]; queued[i] = false; i++
    :: else -> i = 0; break
    od
}

active proctype receiver()
{
    do
    :: atomic { arrive(); check() }
    :: atomic { ticket < RECORDS -> commit(ticket); ticket = second; second = RECORDS; check() }
    :: atomic { second < RECORDS -> commit(second); second = RECORDS; check() }
    :: atomic { ticket < RECORDS -> ticket = second; second = RECORDS } /* abort */
#ifdef MUTATE_ROWS_FIRST
    :: atomic { store_rows() };
       if
       :: atomic { save() }
       :: atomic { crashes > 0 -> crashes--; restore() }
       fi
#else
#ifdef MUTATE_STATE_FIRST
    :: atomic { save() };
       if
       :: atomic { store_rows() }
       :: atomic { crashes > 0 -> crashes--; restore(); check() }
       fi
#else
    :: atomic { store_rows(); save() }
#endif
#endif
    :: atomic { crashes > 0 -> crashes--; restore(); check() }
    od
}
