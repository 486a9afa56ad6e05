/* Ferrule: a model of the store: one or two rings of slots, a burn step by step, and a power cut
 * before, in the middle of and after each change of the flash. Run by scripts/model. It follows
 * docs/WIRE.md, section store, and src/store*.c, with the same names.
 *
 * A cell (a slot's body, its V, its D) holds what was last asked of it, val. Where a cut came in
 * between, it also still holds what was there before, was, and every boot draws anew what it then
 * reads as, see: the one, the other, or neither. Programs and erases may also do nothing at all and
 * say that they did, `faults` times.
 *
 * Holds: NONCE (a generation is yielded once, and they only rise), WIPE (policy strict: when n is
 * yielded, no cell holds or may come to hold the entry of n or of one before), CLOSED without
 * lockout (an installed store always recovers; without a cut a burn succeeds after few tries). */
#ifndef RINGS
#define RINGS 1
#endif
#ifndef BLOCKS
#define BLOCKS 2 /* in each ring */
#endif
#ifndef SLOTS
#define SLOTS 2 /* in each block */
#endif
#ifndef GENERATIONS
#define GENERATIONS 7 /* the model ends with the burn that would write this one */
#endif
#ifndef CUTS
#define CUTS 3 /* how often power fails */
#endif
#ifndef FAULTS
#define FAULTS 0
#endif
#ifndef ROT
#define ROT 0 /* entries that become unreadable by themselves; may close the store, no more */
#endif
/* -DPOLICY_BLOCK: spent entries stay until their block turns over. -DNO_OVERWRITE: only an erase
 * destroys; with policy strict needs SLOTS 1. -DBLANK_CHECK: the port sees margins. */

#define BEHIND_MAX 8 /* a ring further behind is written anew */

#define RING (BLOCKS * SLOTS)
#define ALL (RINGS * RING)
#define CELLS (ALL * 3)
#define base(ring) ((ring)*RING)
#define body(slot) ((slot) * 3)
#define v(slot) ((slot) * 3 + 1)
#define d(slot) ((slot) * 3 + 2)
#define next(slot) ((slot) / RING * RING + ((slot) + 1) % RING)
#define block_of(slot) ((slot) - (slot) % SLOTS)
#define next_block(slot) ((slot) / RING * RING + (block_of(slot) + SLOTS) % RING)
#define is_last(slot) ((slot) % SLOTS == SLOTS - 1)

#define BLANK 0
#define DEAD 1 /* every bit programmed */
#define WILD 2 /* neither blank, nor dead, nor anything that verifies */
#define MARK_V 3
#define MARK_D 4
#define MARK_E 5
#define ENTRY 6 /* and the generation */

#ifdef BLANK_CHECK
#define is_blank(cell) (val[cell] == BLANK && was[cell] == BLANK)
#else
#define is_blank(cell) (see[cell] == BLANK)
#endif
#define slot_is_blank(slot) (is_blank(body(slot)) && is_blank(v(slot)) && is_blank(d(slot)))
#define slot_is_dead(slot) \
    (see[body(slot)] == DEAD && see[v(slot)] == DEAD && see[d(slot)] == DEAD)

/* Rot may close a store that has no copy left. */
#ifdef MAY_CLOSE
#define may_close true
#else
#define may_close (ROT - rot >= RINGS)
#endif

byte val[CELLS];
byte was[CELLS];
byte see[CELLS];

byte used = 0;         /* generations up to here were yielded; one more than the highest */
bool installed = false;
byte cuts = CUTS;
byte faults = FAULTS;
byte rot = ROT;
byte tries = 0;        /* burns begun since the last cut or yield */

/* What the store keeps in RAM of each ring. */
#define UNKNOWN 0
#define FIT 1
#define NOTHING 2 /* that verifies */
#define TROUBLE 3 /* a call failed */
byte status[RINGS];
byte newest[RINGS], last[RINGS];
byte current[RINGS]; /* the next unused generation */
bool settled[RINGS], thorough[RINGS], suspect[RINGS];

byte r;          /* the ring that is worked on */
byte ahead;      /* the ring that leads */
byte generation; /* one more than the one to use: both rings must come to hold its entry */
byte entry;      /* the generation of the entry that is written */
byte to;         /* its slot */
byte gone;       /* the slot that is being destroyed */
bool anew;       /* the ring is written anew */
bool due;

/* Scratch. */
byte i, at, rank, best, look, distance;
bool away, more, holds;

/* ---- the flash --------------------------------------------------------------------------- */

inline complete(cell, target)
{
    printf("slot %d part %d: %d\n", (cell) / 3, (cell) % 3, target);
    val[cell] = target;
    was[cell] = target;
    see[cell] = target
}

/* Cut midway. A body that was torn before is torn from any of what it held; a mark only from what
 * it read as: an erase that is cut does not bring back a mark that was not to be seen. */
inline tear(cell, target)
{
    printf("slot %d part %d: %d over %d, torn\n", (cell) / 3, (cell) % 3, target, val[cell]);
    if
    :: was[cell] = see[cell]
    :: (cell) % 3 == 0 && val[cell] != was[cell] && val[cell] != see[cell] -> was[cell] = val[cell]
    :: (cell) % 3 == 0 && val[cell] != was[cell] && was[cell] != see[cell] -> skip
    fi;
    val[cell] = target;
    see[cell] = (val[cell] == was[cell] -> target : see[cell])
}

#ifdef MUTATE_NO_READ_BACK
#define read_back(cell, target) true
#else
#define read_back(cell, target) (see[cell] == target)
#endif

inline program(cell, target)
{
    atomic {
        if
        :: complete(cell, target)
        :: cuts > 0 -> goto off
        :: cuts > 0 -> tear(cell, target); goto off
        :: faults > 0 && see[cell] != target -> faults--
        fi;
        if
        :: !read_back(cell, target) -> goto failed
        :: else
        fi
    }
}

/* V and D of a slot are destroyed by one operation. */
inline destroy_marks(slot)
{
    atomic {
        if
        :: complete(v(slot), DEAD); complete(d(slot), DEAD)
        :: cuts > 0 -> goto off
        :: cuts > 0 -> complete(v(slot), DEAD); tear(d(slot), DEAD); goto off
        :: cuts > 0 -> tear(v(slot), DEAD); goto off
        fi
    }
}

inline tear_slot(slot)
{
    tear(body(slot), BLANK);
    tear(v(slot), BLANK);
    tear(d(slot), BLANK)
}

inline erase_slot(slot)
{
    complete(body(slot), BLANK);
    complete(v(slot), BLANK);
    complete(d(slot), BLANK)
}

/* Cut midway, an erase has reached each slot or not, or stopped in it. */
inline erase(block)
{
    atomic {
        if
        :: i = 0;
           do
           :: i < SLOTS -> erase_slot(block + i); i++
           :: else -> break
           od
        :: cuts > 0 -> goto off
        :: cuts > 0 ->
           i = 0;
           do
           :: i < SLOTS -> 
              if
              :: tear_slot(block + i)
              :: erase_slot(block + i)
              :: skip
              fi;
              i++
           :: else -> break
           od;
           goto off
        :: faults > 0 -> faults--
        fi;
        check_blank(block);
        if
        :: !holds -> goto failed
        :: else
        fi
    }
}

inline check_blank(block)
{
    d_step {
        holds = true;
        i = 0;
        do
        :: i < SLOTS -> holds = holds && slot_is_blank(block + i); i++
        :: else -> break
        od;
        i = 0
    }
}

/* A block that reads as erased may be so by half: surely means that it is erased all the same. */
inline make_blank(block, surely)
{
    check_blank(block);
#ifdef BLANK_CHECK
    if
    :: !holds -> erase(block)
    :: else
    fi
#else
    if
    :: !holds || surely -> erase(block)
    :: else
    fi
#endif
}

inline find_torn()
{
    d_step {
        do
        :: i < CELLS && val[i] == was[i] -> i++
        :: else -> break
        od
    }
}

/* Power returns: what is torn reads as whatever it likes. */
inline boot()
{
    i = 0;
    do
    :: find_torn();
       if
       :: i == CELLS -> i = 0; break
       :: i < CELLS -> see[i] = val[i]; i++
       :: i < CELLS -> see[i] = was[i]; i++
       :: i < CELLS -> see[i] = WILD; i++
       fi
    od
}

/* ---- recovery ---------------------------------------------------------------------------- */

/* An entry without V may be marginal: it counts only where no entry has V. */
inline find_newest()
{
    best = 0;
    newest[r] = base(r);
    current[r] = 0;
    i = base(r);
    do
    :: i < base(r) + RING ->
       if
       :: see[body(i)] >= ENTRY ->
          rank = (is_blank(v(i)) -> 1 : 2);
#ifdef MUTATE_IGNORE_V
          rank = 1;
#endif
          if
#ifdef MUTATE_LOWER_ENTRY
          :: rank > best || (rank == best && see[body(i)] - ENTRY <= current[r]) ->
#else
          :: rank > best || (rank == best && see[body(i)] - ENTRY >= current[r]) ->
#endif
             best = rank;
             current[r] = see[body(i)] - ENTRY;
             newest[r] = i
          :: else
          fi
       :: else
       fi;
       i++
    :: else -> break
    od;
    status[r] = (best > 0 -> FIT : NOTHING);
    i = 0;
    best = 0;
    rank = 0
}

#define is_older(slot)                                                              \
    ((see[body(slot)] >= ENTRY && see[body(slot)] - ENTRY < current[r]) || slot_is_dead(slot))

/* Every slot after the newest that is not blank counts as used. */
inline count_used()
{
    at = newest[r];
    look = at;
    last[r] = at;
    more = status[r] == FIT;
    do
    :: more ->
       if
       :: !slot_is_blank(at) && away && is_older(at) -> break
       :: !slot_is_blank(at) && !(away && is_older(at)) ->
          look = at;
          best = distance
       :: else
       fi;
       if
       :: is_last(at) ->
          last[r] = look;
          rank = best;
          more = !is_blank(d(at));
          away = true
       :: else
       fi;
       at = next(at);
       more = more && at != block_of(newest[r]);
       distance++
    :: else -> break
    od;
#ifdef MUTATE_NO_SKIP
    last[r] = newest[r];
    rank = 0;
#endif
    current[r] = current[r] + rank;
    at = 0;
    look = 0;
    distance = 0;
    best = 0;
    rank = 0;
    away = false;
    more = false
}

inline recover()
{
    d_step {
        suspect[r] = suspect[r] || status[r] == TROUBLE;
        settled[r] = false;
        find_newest();
        count_used();
        thorough[r] = status[r] == FIT && see[d(newest[r])] != MARK_D;
#ifdef MUTATE_NOT_THOROUGH
        thorough[r] = false
#endif
    }
}

/* ---- one ring ---------------------------------------------------------------------------- */

inline destroy(slot)
{
#ifdef NO_OVERWRITE
    make_blank(block_of(slot), true)
#else
    program(body(slot), DEAD);
    destroy_marks(slot)
#endif
}

inline destroy_all_but(keep)
{
    gone = (thorough[r] -> next_block(keep) : newest[r]);
    do
    :: gone != keep -> destroy(gone); gone = next(gone)
    :: else -> gone = 0; break
    od
}

/* The next entry's slot is to be in the next block, which is not yet known to be blank. */
#define is_erase_due                                                                \
    (is_last(last[r]) && (last[r] != newest[r] ||                                   \
                          !(see[d(last[r])] == MARK_D || see[d(last[r])] == MARK_E)))

inline begin_next_block()
{
    due = is_blank(d(last[r]));
#ifdef MUTATE_TRUST_BLANK
    make_blank(next_block(last[r]), false);
#else
    make_blank(next_block(last[r]), !settled[r]);
#endif
    if
    :: due && settled[r] -> program(d(last[r]), MARK_D)
    :: due && !settled[r] -> program(d(last[r]), MARK_E)
    :: else
    fi;
    due = false
}

/* The ring is full of slots whose programming was cut short. */
inline begin_again()
{
    d_step {
        holds = true;
        i = block_of(last[r]);
        do
        :: i <= last[r] -> holds = holds && see[v(i)] != MARK_V; i++
        :: else -> break
        od;
        i = 0
    }
#ifndef MUTATE_BEGIN_AGAIN_BLINDLY
    if
    :: !holds && RINGS == 1 -> assert(may_close); goto closed
    :: !holds && RINGS == 2 -> status[r] = NOTHING; goto ring_done
    :: else
    fi;
#endif
    to = block_of(last[r]);
    make_blank(to, true)
}

inline choose()
{
    to = next(last[r]);
    if
    :: to == block_of(newest[r]) -> begin_again()
    :: else ->
       if
       :: is_erase_due -> begin_next_block()
       :: else
       fi
    fi;
    if
    :: !slot_is_blank(to) -> goto failed
    :: else
    fi
}

inline yield_it()
{
    d_step {
        printf("YIELD %d\n", generation - 1);
        assert(generation > used); /* NONCE */
        used = generation;
        installed = true;
        tries = 0;
#ifndef POLICY_BLOCK
        i = 0;
        do
        :: i < ALL -> /* WIPE */
           assert(val[body(i)] < ENTRY || val[body(i)] >= ENTRY + generation);
           assert(was[body(i)] < ENTRY || was[body(i)] >= ENTRY + generation);
           i++
        :: else -> break
        od;
        i = 0
#endif
    }
}

/* The entry at `to`, which from here on is the only one that counts. */
inline write_entry()
{
    program(body(to), ENTRY + entry);
#ifdef MUTATE_YIELD_BEFORE_V
    if
    :: generation > used -> yield_it()
    :: else
    fi;
#endif
#ifndef MUTATE_NO_V
    program(v(to), MARK_V);
#endif
#if !defined(POLICY_BLOCK) && !defined(MUTATE_D_FIRST)
    destroy_all_but(to);
#endif
    check_blank(next_block(to));
    if
    :: !is_last(to) || holds -> program(d(to), MARK_D)
    :: else
    fi;
#ifdef MUTATE_D_FIRST
    destroy_all_but(to);
#endif
    true;
    d_step {
        status[r] = FIT;
        newest[r] = to;
        last[r] = to;
        current[r] = entry;
        thorough[r] = false;
        settled[r] = true;
        suspect[r] = false
    }
}

/* ---- the rings --------------------------------------------------------------------------- */

#define is_gone(ring) (status[ring] == NOTHING || (status[ring] == TROUBLE && suspect[ring]))
#define other (1 - ahead)

/* Rot makes one entry unreadable for good, at any cut. Not while anything is torn: where, with
 * policy block and one ring, the newest entry rots and what shows that it was there, or an older
 * one that was to be erased, was cut as well, nothing is left that shows what was used.
 * ROT_BESIDE_TORN shows it; it is why a second ring is worth its blocks. */
inline rot_one()
{
    holds = true;
#ifndef ROT_BESIDE_TORN
    i = 0;
    do
    :: i < CELLS -> holds = holds && val[i] == was[i]; i++
    :: else -> i = 0; break
    od;
#endif
    if
    :: holds = false
    :: rot > 0 && holds ->
       holds = false;
       rot--;
       i = 0;
       do
       :: i < ALL - 1 -> i++
       :: see[body(i)] >= ENTRY -> complete(body(i), WILD); break
       :: i == ALL - 1 -> break
       od;
       i = 0
    fi
}

active proctype store()
{
    goto call;

off: /* power is gone, and returns */
    atomic {
        printf("CUT\n");
        cuts--;
        anew = false;
        boot();
        rot_one();
        i = 0;
        do
        :: i < ALL -> printf("  reads slot %d: %d %d %d\n", i, see[body(i)], see[v(i)], see[d(i)]); i++
        :: else -> i = 0; break
        od;
        tries = 0;
        r = 0;
        do
        :: r < RINGS -> status[r] = UNKNOWN; suspect[r] = false; r++
        :: else -> break
        od
    }
    goto call;

failed: /* a call on this ring failed: RAM forgets where it was */
    atomic {
        status[r] = TROUBLE;
        gone = 0;
        due = false
    }
    goto ring_done;

call: /* of fer_store_burn */
    atomic {
        to = 0;
        gone = 0;
        due = false;
        holds = false;
        generation = 0;
        entry = 0;
        anew = false;
        assert(tries < 2 * ALL + 2 * FAULTS || may_close); /* no lockout */
        tries++;
        r = 0;
        do
        :: r < RINGS && status[r] != FIT -> recover(); r++
        :: r < RINGS && status[r] == FIT -> r++
        :: else -> break
        od;
        ahead = 0;
#if RINGS == 2
        if
        :: status[0] != FIT || (status[1] == FIT && current[1] > current[0]) -> ahead = 1
        :: else
        fi;
#endif
        if
        :: status[ahead] == FIT -> generation = current[ahead] + 1
        :: status[ahead] != FIT && installed ->
           assert(may_close);
           goto closed
        :: status[ahead] != FIT && !installed -> generation = 0 /* an install was cut short */
        fi;
        if
        :: generation >= GENERATIONS -> goto closed
        :: else
        fi;
        r = 0;
#if RINGS == 2
        r = other
#endif
    }

ring: /* one ring, some burns behind or not */
    if
    :: generation == 0 -> to = base(r); entry = 0; erase(to); write_entry(); goto ring_done
    :: generation > 0 && status[r] == FIT && generation > current[r] &&
       generation - current[r] <= BEHIND_MAX ->
       choose();
       entry = current[r] + 1;
       write_entry();
       goto ring
    :: else
    fi;

ring_done:
    if
    :: anew -> goto written_anew
    :: !anew && status[r] != FIT && generation > 0 && !is_gone(r) -> goto call
    :: !anew && status[r] != FIT && generation == 0 && r == 0 -> goto call
    :: else
    fi;
#if RINGS == 2
    if
    :: r == other -> r = ahead; goto ring
    :: else
    fi;
#endif
    if
    :: generation == 0 -> installed = true; goto call
    :: generation > 0 && status[ahead] != FIT -> goto call
    :: else
    fi;

#if RINGS == 2
    /* A ring that is gone is made harmless, and written anew where it can be. */
    r = other;
#ifndef MUTATE_LEAVE_DEAD_RING
    if
    :: status[r] != FIT || generation - current[r] > BEHIND_MAX ->
       anew = true;
       to = base(r);
       do
       :: erase(to);
          to = next_block(to);
          if
          :: to == base(r) -> break
          :: else
          fi
       od;
       recover();
       if
       :: status[r] == NOTHING -> entry = generation; write_entry()
       :: else
       fi
    :: else -> goto yield_now
    fi;
#else
    goto yield_now;
#endif
written_anew:
    anew = false;
    if
    :: status[r] != FIT -> recover()
    :: else
    fi;
    if
    :: status[r] == FIT && current[r] != generation -> goto call
    :: else
    fi;
yield_now:
#else
written_anew:
#endif
#ifndef MUTATE_YIELD_BEFORE_V
    yield_it();
#endif
    if
    :: goto call /* by age or count */
    :: cuts > 0 -> goto off
    :: r = 0; goto maintain
    fi;

maintain: /* the erase that the next burn would wait for */
    if
    :: last[r] == newest[r] && status[r] == FIT && is_erase_due && is_blank(d(last[r])) ->
       begin_next_block()
    :: else
    fi;
    r++;
    if
    :: r < RINGS -> goto maintain
    :: else -> goto call
    fi;

closed:
    skip
}
