/* Ferrule: a model of the way down: a gateway that seals under the newest generation it has heard,
 * and is restored from an old snapshot; a network whose owner delivers what it kept at any time; a
 * device that restarts, sleeps and wakes. Run by scripts/model; docs/WIRE.md, sections record and
 * image.
 *
 * Holds: NONCE (no key, salt and number seal twice), ONCE (a device opens a message at most once,
 * whatever it forgets), and what a device opens is of its current generation. */
#ifndef GENERATIONS
#define GENERATIONS 3
#endif
#ifndef MESSAGES
#define MESSAGES 4 /* sealed in all; each has a salt of its own */
#endif
#define NUMBERS 3
#define NONE GENERATIONS

byte sealed = 0;            /* messages so far */
byte under[MESSAGES];          /* the generation that each was sealed under */
byte number[MESSAGES];
byte salt[MESSAGES];
bool opened[MESSAGES];

byte store = 0, own = NONE; /* the device */
byte next = 0;              /* lower numbers are refused */
byte image = NONE, image_next = 0;

byte heard = NONE, down = 0; /* the gateway: newest generation, next number */
byte kept_heard = NONE, kept_down = 0;
byte i;

inline seal()
{
    under[sealed] = heard;
    number[sealed] = down;
#ifdef MUTATE_SALT_REUSED
    salt[sealed] = 0;
#else
    salt[sealed] = sealed;
#endif
    i = 0;
    do
    :: i < sealed -> /* NONCE */
       assert(under[i] != under[sealed] || number[i] != number[sealed] || salt[i] != salt[sealed]);
       i++
    :: else -> i = 0; break
    od;
    sealed++;
    down++
}

inline hear()
{
    down = (heard == own -> down : 0);
    heard = own
}

active proctype gateway()
{
    do
    :: atomic { own != NONE && (heard == NONE || own > heard) -> hear() }
    :: atomic { heard != NONE && sealed < MESSAGES && down < NUMBERS -> seal() }
    :: atomic { kept_heard = heard; kept_down = down }
    :: atomic { heard = kept_heard; down = kept_down } /* a backup is put back */
    od
}

inline deliver(m)
{
    if
#ifdef MUTATE_OPENS_OLD_GENERATION
    :: m < sealed && number[m] >= (under[m] == own -> next : 0) ->
#else
    :: m < sealed && under[m] == own && number[m] >= next ->
#endif
       assert(!opened[m]); /* ONCE */
       opened[m] = true;
       next = (under[m] == own -> number[m] + 1 : next)
    :: else
    fi
}

active proctype device()
{
    byte m;

    do
    :: atomic { own == NONE && store < GENERATIONS -> own = store; store++; next = 0 }
    :: atomic { own != NONE -> own = NONE; next = 0 } /* reset */
    :: atomic { own != NONE && image == NONE -> image = own; image_next = next; own = NONE; next = 0 }
    :: atomic {
           own == NONE && image != NONE ->
           if
           :: image == store - 1 ->
              own = image;
#ifdef MUTATE_RESUME_FORGETS_WINDOW
              next = 0;
#else
              next = image_next;
#endif
           :: else
           fi;
           image = NONE;
           image_next = 0
       }
    :: atomic {
           own != NONE ->
           m = 0;
           do
           :: m < MESSAGES - 1 -> m++
           :: break
           od;
           deliver(m);
           m = 0
       }
    od
}
