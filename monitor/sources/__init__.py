"""Where calls come from: anything that yields chunks of audio and telephony signals."""
