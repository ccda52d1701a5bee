<?php
/**
 * How the gate says no: a sentence for the user, which holds no file name, no address and no token.
 *
 * @package redact-gate
 */

/** The file is refused. Its message may be shown to anybody who may upload. */
final class Redact_Gate_Refusal extends Exception {

	/** Work with a file; every error of ours becomes a refusal that tells nothing. */
	public static function wrap( callable $work ) {
		try {
			return $work();
		} catch ( Redact_Gate_Refusal $refusal ) {
			throw $refusal;
		} catch ( Throwable $fault ) {
			throw new Redact_Gate_Refusal( __( 'The redact gate met a fault of its own; tell your administrator.', 'redact-gate' ) );
		}
	}
}
