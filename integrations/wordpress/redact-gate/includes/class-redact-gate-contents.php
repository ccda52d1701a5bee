<?php
/**
 * Which files of this site a post shows: its attachments, its featured image, what its text or its fields name by
 * markup with an id, and what they name by an address in the uploads folder.
 *
 * @package redact-gate
 */

/** What a post holds: attachments, and files that belong to none. */
final class Redact_Gate_Contents {

	/** @var array<int,bool> */
	public $attachments = array();

	/** Paths on the disk; '' stands for an address that leads to no file.
	 *
	 * @var array<string,bool> */
	public $files = array();

	/**
	 * Look through a post. `$post` may be 0 for one that is not stored yet; `$fields` are such as are stored with it.
	 *
	 * @throws RuntimeException It cannot be searched.
	 */
	public function __construct( int $post, string $text, array $featured, array $fields = array() ) {
		foreach ( $featured as $id ) {
			$this->add( (int) $id );
		}
		if ( $post > 0 ) {
			$this->add( (int) get_post_meta( $post, '_thumbnail_id', true ) );
			$children = array(
				'post_type'   => 'attachment',
				'post_parent' => $post,
				'post_status' => 'any',
				'numberposts' => -1,
				'fields'      => 'ids',
			);
			foreach ( get_posts( $children ) as $id ) {
				$this->add( (int) $id );
			}
			$fields = array_merge( $fields, array_values( (array) get_post_meta( $post ) ) );
		}
		$this->text( $text );
		foreach ( $fields as $field ) {
			foreach ( (array) $field as $value ) {
				// Page builders keep their text here. Serialized, every string within is as it was.
				$this->text( is_scalar( $value ) ? (string) $value : serialize( $value ) ); // phpcs:ignore
			}
		}
	}

	private function add( int $id ): void {
		if ( $id > 0 && 'attachment' === get_post_type( $id ) ) {
			$this->attachments[ $id ] = true;
		}
	}

	private function text( string $text ): void {
		$plain = Redact_Gate_Addresses::plain( $text );
		// With its escapes blunted, too: what blocks escape in their attributes is what would end them.
		$this->ids( str_replace( '\\', '', $text ) . "\n" . $plain );
		$this->addresses( $plain );
	}

	/** Ids in classes of images, in attributes of blocks and in shortcodes. */
	private function ids( string $text ): void {
		$sure = preg_match_all( '/wp-(?:image|video)-(\d+)|attachment_(\d+)/', $text, $classes );
		$sure = false !== $sure && false !== preg_match_all( '/<!--\s*wp:[^>]*?-->/s', $text, $blocks );
		$sure = $sure && false !== preg_match_all( '/"\w*(?:[iI]ds?)"\s*:\s*(\[[\d\s,"]*\]|"?\d+"?)/', implode( ' ', $blocks[0] ), $attributes );
		$sure = $sure && false !== preg_match_all( '/\[\w+[^\]]*?\b(?:ids|include|id)\s*=\s*["\']?([\d\s,]+)/', $text, $codes );
		if ( ! $sure ) {
			throw new RuntimeException( 'A text cannot be searched.' );
		}
		$found = implode( ' ', array_merge( $classes[1], $classes[2], $attributes[1], $codes[1] ) );
		preg_match_all( '/\d+/', $found, $numbers );
		foreach ( array_unique( $numbers[0] ) as $number ) {
			$this->add( (int) $number );
		}
	}

	/** Addresses in the uploads folder, whatever scheme and host they name. */
	private function addresses( string $text ): void {
		$uploads = wp_get_upload_dir();
		$folder  = rtrim( (string) wp_parse_url( (string) $uploads['baseurl'], PHP_URL_PATH ), '/' );
		if ( '' === $folder ) {
			$folder = (string) preg_replace( '#\Ahttps?:#', '', rtrim( (string) $uploads['baseurl'], '/' ) ); // A host of its own.
		}
		foreach ( Redact_Gate_Addresses::below( $folder, $text ) as $names ) {
			$this->address( $names, $uploads );
		}
	}

	/** An address, by the names that it may mean: each that is a file may be what is shown. */
	private function address( array $names, array $uploads ): void {
		$there = false;
		foreach ( array_unique( $names ) as $name ) {
			$path = $uploads['basedir'] . '/' . $name;
			if ( is_file( $path ) ) {
				$this->file( $name, $path, $uploads );
				$there = true;
			}
			$there = $there || is_dir( $path ); // A folder shows nothing.
		}
		if ( ! $there ) {
			// A size that is not there shows nothing either, but its attachment may stand in for it.
			$owner = $names ? self::owner( $names[0], '', $uploads ) : 0;
			if ( $owner > 0 ) {
				$this->add( $owner );
			} else {
				$this->files[''] = true;
			}
		}
	}

	private function file( string $name, string $path, array $uploads ): void {
		$owner = self::owner( $name, $path, $uploads );
		if ( $owner > 0 ) {
			$this->add( $owner );
			return;
		}
		$base   = realpath( $uploads['basedir'] );
		$path   = realpath( $path );
		$inside = is_string( $base ) && is_string( $path ) && 0 === strpos( $path, $base . DIRECTORY_SEPARATOR );

		$this->files[ $inside ? $path : '' ] = true;
	}

	/**
	 * The attachment that a file belongs to, or 0. A name like that of a size proves nothing, and a database may
	 * take two names for one that differ in case or accents: if there is a file, the attachment must list it.
	 */
	private static function owner( string $name, string $path, array $uploads ): int {
		$whole = (string) preg_replace( '/-\d+x\d+(?=\.\w+\z)/', '', $name );
		foreach ( array_unique( array( $name, $whole ) ) as $one ) {
			foreach ( array( '', '-scaled', '-rotated' ) as $made ) {
				$candidate = '' === $made ? $one : (string) preg_replace( '/(?=\.\w+\z)/', $made, $one, 1 );
				$id        = (int) attachment_url_to_postid( $uploads['baseurl'] . '/' . $candidate );
				if ( $id > 0 && ( '' === $path || in_array( $path, Redact_Gate_Sizes::files( $id ), true ) ) ) {
					return $id;
				}
			}
		}
		return 0;
	}
}
