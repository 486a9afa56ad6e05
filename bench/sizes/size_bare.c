/* libsodium's sealing and opening alone, to compare with. Linked for its size, never run. */
#include <sodium.h>

extern uint8_t main_key[32];
uint8_t main_key[32];
volatile uint8_t link;

int main(void)
{
    uint8_t text[64] = {0}, record[64 + 16], nonce[12] = {0}, ad[4] = {0};
    for (;;) {
        nonce[0]++;
        (void)crypto_aead_chacha20poly1305_ietf_encrypt(record, 0, text, sizeof text, ad, sizeof ad,
                                                        0, nonce, main_key);
        for (size_t i = 0; i < sizeof record; i++) {
            link = record[i];
            record[i] = link;
        }
        if (crypto_aead_chacha20poly1305_ietf_decrypt(text, 0, 0, record, sizeof record, ad,
                                                      sizeof ad, nonce, main_key) == 0) {
            link = text[0];
        }
    }
}
