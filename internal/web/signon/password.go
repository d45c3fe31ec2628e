package signon

import (
	"crypto/rand"
	"fmt"
	"sync"

	"github.com/alexedwards/argon2id"

	"energyd/internal/fault"
)

// hashing costs 64 MiB and about a tenth of a second (RFC 9106, section 4, the second choice).
var hashing = &argon2id.Params{Memory: 64 << 10, Iterations: 3, Parallelism: 4, SaltLength: 16, KeyLength: 32}

// Bounds of a password. What is longer takes its time to hash, and is nothing that somebody types.
const (
	shortestPassword = 12
	longestPassword  = 1000
)

// Hash is what the configuration holds in place of a password. Faults: config (too short, too long).
func Hash(password string) (string, error) {
	if n := len([]rune(password)); n < shortestPassword || n > longestPassword {
		return "", fault.New(fault.Config, "password", fmt.Sprintf("a password has %d to %d characters", shortestPassword, longestPassword),
			"several words that do not belong together are easy to keep in mind", nil)
	}
	h, err := argon2id.CreateHash(password, hashing)
	if err != nil {
		return "", fault.New(fault.Internal, "password", "a password cannot be hashed", "report this", err)
	}
	return h, nil
}

// wellHashed refuses what cannot be worked out, and what was cut off: of a short rest many passwords have the same.
func wellHashed(hash string) bool {
	p, salt, key, err := argon2id.DecodeHash(hash)
	return err == nil && p.Memory <= 1<<20 && p.Iterations >= 1 && p.Iterations <= 100 && p.Parallelism >= 1 && len(salt) >= 8 && len(key) >= 16
}

// nobodys is the hash of a password that nobody has: a name that is not known takes as long as one that is.
var nobodys = sync.OnceValue(func() string {
	h, err := argon2id.CreateHash(rand.Text(), hashing)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return h
})
