"""Sionna links over QPSK and 16-QAM, with fecnn's encoder and exact ML, simulated by Sionna's ``sim_ber``.

Run it with ``python examples/sionna_qam.py``, after ``pip install 'fecnn[sionna]'``.
"""

from sionna.phy import config
from sionna.phy.channel import AWGN
from sionna.phy.mapping import BinarySource, Constellation, Demapper, Mapper
from sionna.phy.utils import ebnodb2no, sim_ber

import fecnn
from fecnn.pipelines.sionna import Decoder, Encoder

CODE, BATCH, BATCHES = "ebch-64-36", 1000, 4


def link(code, bits):
    """A function from a batch size and Eb/N0 in dB to the sent and the decided messages."""
    constellation = Constellation("qam", bits)
    source, encode, mapper = BinarySource(), Encoder(code), Mapper(constellation=constellation)
    channel, demapper = AWGN(), Demapper("app", constellation=constellation)
    decode = Decoder("ml", code, output="message")

    def simulate(batch_size, ebno_db):
        messages = source([batch_size, code.k])
        no = ebnodb2no(ebno_db, bits, code.rate)
        return messages, decode(demapper(channel(mapper(encode(messages)), no), no))

    return simulate


def main():
    """Print bit and block error rates of both modulations."""
    config.seed = 1
    code = fecnn.load_code(CODE)
    for name, bits, ebn0_db in (("QPSK", 2, 2.5), ("16-QAM", 4, 5.5)):
        ber, bler = sim_ber(link(code, bits), [ebn0_db], BATCH, BATCHES, early_stop=False, verbose=False)
        rate = float(bler[0])
        low, high = fecnn.proportion_interval(round(rate * BATCH * BATCHES), BATCH * BATCHES)
        print(f"{name:6} {ebn0_db} dB  BER {float(ber[0]):.2e}  BLER {rate:.2e} [{low:.2e}, {high:.2e}]")


if __name__ == "__main__":
    main()
